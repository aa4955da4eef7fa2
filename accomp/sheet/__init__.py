"""Write a song as a lead sheet: melody and chord symbols, as MusicXML and as a picture."""
