import torch

from accomp.models.harmony_network import HarmonyConfig
from accomp.models.song_harmony import SongHarmonyNN
from train.fit.code_shares import ShareSettings, balance, code_shares

K = 8


def network(codes, **known):
    config = HarmonyConfig(
        network="song", width=8, heads=2, codebook=len(codes) + 1, meters=True, genres=["a"]
    )
    model = SongHarmonyNN(config, 3, K, [2])
    model.set_codes(codes, **known)
    return model


def usage(shares, count):
    index, share = shares
    return torch.zeros(count).index_add_(0, index.flatten(), share.flatten()) / len(index)


def test_each_code_stands_for_as_much_of_what_is_played():
    torch.manual_seed(0)
    played = torch.randn(600, K)
    codes = torch.cat([played[:20], torch.zeros(1, K)])  # the mean is near to everything
    model = network(codes)
    settings = ShareSettings(codes=4, rounds=60)
    nearest = usage(code_shares(model, played, None, torch.zeros(22), settings), 22)
    liking = balance(model, played, None, settings)
    balanced = usage(code_shares(model, played, None, liking, settings), 22)
    assert nearest[20] > 2.5 / 21 and balanced[20] < 1.3 / 21
    assert nearest[:21].min() < 0.3 / 21 and balanced[:21].min() > 0.5 / 21
    assert balanced[21] == 0  # the empty entry


def test_shares_are_of_codes_of_the_meter():
    torch.manual_seed(0)
    model = network(torch.randn(6, K), meter=torch.tensor([4, 4, 4, 3, 3, 3]))
    meters = torch.tensor([4, 3] * 20)
    played = torch.randn(40, K)
    liking = balance(model, played, meters)
    index, share = code_shares(model, played, meters, liking)
    chosen = model.meter[index]
    assert ((chosen == meters[:, None]) | (share == 0)).all()
    assert torch.allclose(share.sum(1), torch.ones(40))
