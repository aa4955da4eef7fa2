import assert from "node:assert/strict";
import { test } from "node:test";

import { Edge, speed } from "../../../page/player/web/edge.js";

test("a drag moves the roll only near its edges, the faster the nearer", () => {
  assert.equal(speed(400, 800), 0);
  assert.equal(speed(30, 800), 0);
  assert.ok(speed(20, 800) < 0 && speed(5, 800) < speed(20, 800));
  assert.ok(speed(785, 800) > 0 && speed(799, 800) > speed(785, 800));
  assert.equal(speed(2000, 800), speed(800, 800)); // beyond it no faster
  assert.equal(speed(-90, 800), speed(0, 800));
  assert.equal(speed(10, 0), 0);
});

test("the roll goes on until the drag ends, and not beyond its own end", () => {
  const frames = [];
  globalThis.requestAnimationFrame = (each) => frames.push(each);
  const roll = { left: 0, width: 100, moveTo(left) { this.left = Math.min(Math.max(left, 0), 20); } };
  const edge = new Edge({ roll, follow: true, draw() {}, showPosition() {} });
  let told = 0;
  edge.at(100, () => told++);
  edge.at(99, () => told++); // another place, still one run
  assert.equal(frames.length, 1);
  for (let i = 0; i < 6; i++) frames.shift()();
  assert.equal(roll.left, 20);
  assert.ok(told >= 2 && told < 6);
  assert.equal(edge.player.follow, false);
  edge.stop();
  frames.shift()();
  assert.equal(frames.length, 0);
});
