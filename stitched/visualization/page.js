"use strict";
// Places in 3D are mm: to the right, up from the floor, forward from the camera.
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const viewer = { frame: 0, ...data.view, zoom: 1, playing: false, speed: 1, hidden: new Set() };
const DISTANCE = 5, FILL = 0.92, REACH = 14;
const rowsOf = data.times.map(() => []);
for (const [frame, person, points, keypoints, confidence] of data.rows)
  rowsOf[frame].push({ person, points, keypoints, confidence });
const shown = () => rowsOf[viewer.frame].filter((row) => !viewer.hidden.has(row.person));
const dark = ([r, g, b]) => `rgb(${r * 0.4}, ${g * 0.4}, ${b * 0.4})`;
const colour = ([r, g, b]) => `rgb(${r}, ${g}, ${b})`;

// Drawing ---------------------------------------------------------------------------------------

function prepare(canvas) {
  const scale = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.lineCap = "round";
  return { pen, width, height };
}

function stroke(pen, places, style, width, opacity = 1) {
  pen.globalAlpha = opacity;
  pen.strokeStyle = style;
  pen.lineWidth = width;
  pen.beginPath();
  places.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
  pen.globalAlpha = 1;
}

function disc(pen, [x, y], style, width, opacity = 1) {
  pen.globalAlpha = opacity;
  pen.fillStyle = style;
  pen.beginPath();
  pen.arc(x, y, width / 2, 0, 2 * Math.PI);
  pen.fill();
  pen.globalAlpha = 1;
}

// From a place in 3D to [x, y, depth] in the canvas, seen as the panels of films and pictures are.
function makeLens(width, height) {
  const turn = (viewer.azimuth * Math.PI) / 180, rise = (viewer.elevation * Math.PI) / 180;
  const [c, s, cr, sr] = [Math.cos(turn), Math.sin(turn), Math.cos(rise), Math.sin(rise)];
  const across = [c, 0, s], down = [sr * s, -cr, -sr * c], away = [-cr * s, -sr, cr * c];
  const centre = data.centres[viewer.frame], distance = DISTANCE * data.radius;
  const focal = ((FILL * Math.min(width, height)) / 2) * Math.sqrt(DISTANCE ** 2 - 1) * viewer.zoom;
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  return (place) => {
    const seen = place.map((value, i) => value - centre[i]);
    const depth = Math.max(dot(seen, away) + distance, 0.05 * distance);
    const scale = focal / depth;
    return [dot(seen, across) * scale + width / 2, dot(seen, down) * scale + height / 2, depth];
  };
}

function drawFloor(pen, lens) {
  const step = 250 * 2 ** Math.round(Math.log2(data.radius / 1000));
  const count = Math.ceil((1.3 * data.radius) / step), centre = data.centres[viewer.frame];
  const [x, z] = [0, 2].map((axis) => Math.round(centre[axis] / step) * step);
  const end = count * step;
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([i, j]) => lens([x + i * end, 0, z + j * end]));
  pen.fillStyle = "#eeeff2";
  pen.beginPath();
  corners.forEach(([u, v], i) => (i ? pen.lineTo(u, v) : pen.moveTo(u, v)));
  pen.fill();
  for (let i = -count; i <= count; i++) {
    stroke(pen, [lens([x + i * step, 0, z - end]), lens([x + i * step, 0, z + end])], "#d6d8de", 1);
    stroke(pen, [lens([x - end, 0, z + i * step]), lens([x + end, 0, z + i * step])], "#d6d8de", 1);
  }
}

const marks3d = [], marks2d = []; // where joints are on the canvases, for the pointer

function drawSpace() {
  const { pen, width, height } = prepare(at("space"));
  const lens = makeLens(width, height), bone = Math.max(0.013 * Math.min(width, height), 2);
  const { bones, joints, colours } = data.skeleton3d, lines = [];
  drawFloor(pen, lens);
  marks3d.length = 0;
  for (const row of shown()) {
    if (!row.points) continue;
    const places = row.points.map((p) => p && lens(p)), flat = row.points.map((p) => p && lens([p[0], 0, p[2]]));
    for (const [a, b, hue] of bones) {
      if (!places[a] || !places[b]) continue;
      stroke(pen, [flat[a], flat[b]], "#cdcfd6", bone);
      lines.push({ ends: [places[a], places[b]], depth: (places[a][2] + places[b][2]) / 2, hue, wide: bone });
    }
    places.forEach((place, i) => {
      if (!place) return;
      lines.push({ ends: [place], depth: place[2], hue: colours[i], wide: 1.8 * bone });
      marks3d.push({ x: place[0], y: place[1], depth: place[2], joint: joints[i], person: row.person });
    });
  }
  lines.sort((a, b) => b.depth - a.depth);
  for (const { ends, hue, wide } of lines) {
    const mark = ends.length === 2 ? (style, width) => stroke(pen, ends, style, width)
      : (style, width) => disc(pen, ends[0], style, width);
    mark(dark(hue), wide + 0.6 * bone);
    mark(colour(hue), wide);
  }
}

let loaded = -1;
const image = new Image();
image.onload = () => drawPicture();

function drawPicture() {
  const { pen, width, height } = prepare(at("picture"));
  const [w, h] = data.imageSize, scale = Math.min(width / w, height / h);
  const [left, top] = [(width - w * scale) / 2, (height - h * scale) / 2];
  const wanted = data.pictureOf[viewer.frame];
  if (wanted >= 0 && wanted !== loaded) {
    loaded = wanted;
    image.src = `data:image/jpeg;base64,${data.pictures[wanted]}`;
  }
  if (wanted >= 0 && image.naturalWidth) pen.drawImage(image, left, top, w * scale, h * scale);
  marks2d.length = 0;
  for (const row of shown()) drawPerson(pen, row, ([x, y]) => [left + (x + 0.5) * scale, top + (y + 0.5) * scale]);
}

function drawPerson(pen, row, lens) {
  const { bones, joints, colours } = data.skeleton2d;
  const places = row.keypoints.map((p, i) => p && row.confidence[i] >= data.minConfidence && lens(p));
  const seen = places.filter(Boolean);
  if (!seen.length) return;
  const extent = [0, 1].map((axis) => Math.max(...seen.map((p) => p[axis])) - Math.min(...seen.map((p) => p[axis])));
  const bone = Math.min(Math.max(0.014 * Math.max(...extent), 1.5), 24);
  const sure = (i) => Math.min(Math.max(row.confidence[i] / 0.6, 0.25), 1);
  const drawn = bones.filter(([a, b]) => places[a] && places[b]);
  for (const [a, b] of drawn)
    stroke(pen, [places[a], places[b]], "#141414", 1.6 * bone, Math.min(sure(a), sure(b)));
  for (const [a, b, hue] of drawn)
    stroke(pen, [places[a], places[b]], colour(hue), bone, Math.min(sure(a), sure(b)));
  places.forEach((place, i) => {
    if (!place) return;
    disc(pen, place, "#141414", 2.6 * bone, sure(i));
    disc(pen, place, colour(colours[i]), 2 * bone, sure(i));
    marks2d.push({ x: place[0], y: place[1], depth: 0, joint: joints[i], person: row.person, sure: row.confidence[i] });
  });
}

function draw() {
  drawPicture();
  drawSpace();
  const seconds = data.times[viewer.frame], minutes = Math.floor(seconds / 60);
  at("slider").value = viewer.frame;
  at("clock").value = `${minutes}:${(seconds % 60).toFixed(2).padStart(5, "0")}, frame ${data.frames[viewer.frame]}`;
}

// Time ------------------------------------------------------------------------------------------

function show(frame) {
  viewer.frame = Math.min(Math.max(frame, 0), data.times.length - 1);
  draw();
}

let clock = 0, lastTick = null;

function tick(now) {
  if (!viewer.playing) return;
  if (lastTick !== null) clock += ((now - lastTick) / 1000) * viewer.speed;
  lastTick = now;
  const last = data.times.length - 1;
  if (clock > data.times[last] + data.lastFor) clock = data.times[0];
  let frame = clock < data.times[viewer.frame] ? 0 : viewer.frame;
  while (frame < last && data.times[frame + 1] <= clock) frame++;
  if (frame !== viewer.frame) show(frame);
  requestAnimationFrame(tick);
}

function play(on) {
  viewer.playing = on && data.times.length > 1;
  at("play").textContent = viewer.playing ? "❚❚" : "▶";
  at("play").setAttribute("aria-label", viewer.playing ? "Pause" : "Play");
  clock = data.times[viewer.frame];
  lastTick = null;
  if (viewer.playing) requestAnimationFrame(tick);
}

// Turning, zooming, pointing ----------------------------------------------------------------------

function turn(azimuth, elevation) {
  viewer.azimuth += azimuth;
  viewer.elevation = Math.min(Math.max(viewer.elevation + elevation, -90), 90);
  drawSpace();
}

function zoom(factor) {
  viewer.zoom = Math.min(Math.max(viewer.zoom * factor, 0.2), 12);
  drawSpace();
}

function reset() {
  Object.assign(viewer, data.view, { zoom: 1 });
  drawSpace();
}

function point(event, marks) {
  const box = event.target.getBoundingClientRect(), [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const near = marks.map((mark) => ({ ...mark, away: Math.hypot(mark.x - x, mark.y - y) })).filter((mark) => mark.away < REACH);
  near.sort((a, b) => a.away - b.away || a.depth - b.depth);
  const tip = at("tip"), best = near[0];
  tip.hidden = !best;
  if (!best) return;
  const who = data.people.length > 1 ? `, person ${data.people[best.person]}` : "";
  const sure = best.sure === undefined ? "" : `, ${Math.round(100 * best.sure)} % sure`;
  tip.textContent = best.joint.replaceAll("_", " ") + who + sure;
  tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 4)}px`;
  tip.style.top = `${Math.max(event.clientY - 30, 4)}px`;
}

const pointers = new Map();
const spread = () => {
  const [a, b] = [...pointers.values()];
  return Math.hypot(a.x - b.x, a.y - b.y);
};
const space = at("space");
space.addEventListener("pointerdown", (event) => {
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  space.setPointerCapture(event.pointerId);
});
space.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return point(event, marks3d);
  at("tip").hidden = true;
  const apart = pointers.size === 2 ? spread() : 0;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (pointers.size === 2) zoom(spread() / Math.max(apart, 1));
  else turn(-0.5 * (event.clientX - before.x), 0.5 * (event.clientY - before.y));
});
for (const kind of ["pointerup", "pointercancel"])
  space.addEventListener(kind, (event) => pointers.delete(event.pointerId));
space.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 500));
}, { passive: false });
space.addEventListener("dblclick", reset);
at("picture").addEventListener("pointermove", (event) => point(event, marks2d));
for (const canvas of [space, at("picture")])
  canvas.addEventListener("pointerleave", () => (at("tip").hidden = true));

const KEYS = {
  " ": () => play(!viewer.playing),
  ArrowLeft: (shift) => (shift ? turn(-5, 0) : show(viewer.frame - 1)),
  ArrowRight: (shift) => (shift ? turn(5, 0) : show(viewer.frame + 1)),
  ArrowUp: () => turn(0, 5),
  ArrowDown: () => turn(0, -5),
  "+": () => zoom(1.2), "=": () => zoom(1.2), "-": () => zoom(1 / 1.2),
  r: reset, R: reset,
};
document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.target.tagName === "SELECT" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.type === "checkbox") return;
  event.preventDefault(); // else the slider moves, or a button is pressed, as well
  if (event.key.startsWith("Arrow") && !event.shiftKey) play(false);
  action(event.shiftKey);
});

// Start -----------------------------------------------------------------------------------------

for (const side of ["left", "right"]) at(`swatch-${side}`).style.background = colour(data.sides[side]);
if (data.people.length > 1)
  data.people.forEach((name, person) => {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
    const label = document.createElement("label");
    box.addEventListener("change", () => {
      if (box.checked) viewer.hidden.delete(person);
      else viewer.hidden.add(person);
      draw();
    });
    label.append(box, ` person ${name}`);
    at("people").append(label);
  });
if (data.times.length === 1) document.querySelectorAll("#play, #slider, #speed").forEach((e) => (e.hidden = true));
at("slider").max = data.times.length - 1;
at("slider").addEventListener("input", (event) => {
  play(false);
  show(Number(event.target.value));
});
at("play").addEventListener("click", () => play(!viewer.playing));
at("reset").addEventListener("click", reset);
at("speed").addEventListener("change", (event) => (viewer.speed = Number(event.target.value)));
new ResizeObserver(draw).observe(document.querySelector("main"));
draw();
