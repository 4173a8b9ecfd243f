// The video: pulls one picture at a time and draws it with boxes and names on a canvas.

const FONT =
  'system-ui, "Segoe UI", Roboto, "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR", sans-serif';
const RETRY_MS = 250;

/**
 * @typedef {{id: number, box: [number, number, number, number], decision: string,
 *   student: number | null}} Track
 * @typedef {{number: number, width: number, height: number, tracks: Track[]}} FrameInfo
 */

/**
 * A box of fractions in pixels of an area.
 * @param {{x: number, y: number, w: number, h: number}} area
 * @param {[number, number, number, number]} box
 */
function boxIn(area, [x1, y1, x2, y2]) {
  return {
    x: area.x + x1 * area.w,
    y: area.y + y1 * area.h,
    w: (x2 - x1) * area.w,
    h: (y2 - y1) * area.h,
  };
}

export class Video {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {string} address
   * @param {(studentId: number | null) => string} nameOf
   * @param {() => void} onPicture
   */
  constructor(canvas, address, nameOf, onPicture) {
    this.canvas = canvas;
    this.address = address;
    this.nameOf = nameOf;
    this.onPicture = onPicture;
    this.last = -1;
    this.inVain = 0;
    this.isWanted = true;
    /** @type {{picture: ImageBitmap, info: FrameInfo} | null} */
    this.shown = null;
    new ResizeObserver(() => this.draw()).observe(canvas);
    this.run();
  }

  /** One request in flight; nothing is asked for while nobody can see it. */
  async run() {
    for (;;) {
      if (document.hidden || !this.isWanted) await this.untilVisible();
      const hasPicture = await this.pull().catch(() => false);
      if (!hasPicture) await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }

  /** @param {boolean} isWanted */
  want(isWanted) {
    this.isWanted = isWanted;
    document.dispatchEvent(new Event("visibilitychange"));
  }

  /** @returns {Promise<void>} */
  untilVisible() {
    return new Promise((done) => {
      const look = () => {
        if (document.hidden || !this.isWanted) return;
        document.removeEventListener("visibilitychange", look);
        done();
      };
      document.addEventListener("visibilitychange", look);
    });
  }

  /**
   * Asks for a picture newer than the last; after a wait in vain for any, because a camera
   * process that was restarted counts from the beginning.
   * @returns {Promise<boolean>} whether a new picture came
   */
  async pull() {
    const after = this.inVain > 1 ? -1 : this.last;
    this.inVain = this.inVain > 1 ? 0 : this.inVain;
    const answer = await fetch(`${this.address}?after=${after}`);
    if (answer.status !== 200) {
      this.inVain += 1;
      return false;
    }
    /** @type {FrameInfo} */
    const info = JSON.parse(answer.headers.get("X-Frame") ?? "{}");
    if (info.number === this.last) return false;
    const picture = await createImageBitmap(await answer.blob());
    this.shown?.picture.close();
    this.shown = { picture, info };
    const box = this.canvas.parentElement;
    if (box) box.style.aspectRatio = `${info.width} / ${info.height}`;
    this.last = info.number;
    this.inVain = 0;
    this.draw();
    this.onPicture();
    return true;
  }

  /** Draws the last picture as large as fits, sharp on any screen. */
  draw() {
    const scale = devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * scale);
    const height = Math.round(this.canvas.clientHeight * scale);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    const pen = this.canvas.getContext("2d");
    if (!pen || !this.shown || width === 0) return;
    const { picture, info } = this.shown;
    const fit = Math.min(width / picture.width, height / picture.height);
    const area = { w: picture.width * fit, h: picture.height * fit, x: 0, y: 0 };
    area.x = (width - area.w) / 2;
    area.y = (height - area.h) / 2;
    pen.clearRect(0, 0, width, height);
    pen.drawImage(picture, area.x, area.y, area.w, area.h);
    for (const track of info.tracks) this.drawTrack(pen, boxIn(area, track.box), track, scale);
  }

  /**
   * A named face gets its name, a doubtful one a dashed box, an unknown one a thin outline.
   * @param {CanvasRenderingContext2D} pen
   * @param {{x: number, y: number, w: number, h: number}} box
   * @param {Track} track
   * @param {number} scale
   */
  drawTrack(pen, box, track, scale) {
    const name = track.decision === "accept" ? this.nameOf(track.student) : "";
    const isDoubt = track.decision === "review";
    pen.lineWidth = (name ? 3 : 2) * scale;
    pen.setLineDash(isDoubt ? [8 * scale, 6 * scale] : []);
    pen.strokeStyle = "rgb(0 0 0 / 55%)";
    this.outline(pen, box, 8 * scale, 1.5 * scale);
    pen.strokeStyle = name ? "#4be0cb" : isDoubt ? "#ffa665" : "#ffffff";
    this.outline(pen, box, 8 * scale, 0);
    pen.setLineDash([]);
    if (name) this.drawName(pen, box, name, scale);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {{x: number, y: number, w: number, h: number}} box
   * @param {number} radius
   * @param {number} grow
   */
  outline(pen, box, radius, grow) {
    pen.beginPath();
    pen.roundRect(box.x - grow, box.y - grow, box.w + 2 * grow, box.h + 2 * grow, radius);
    pen.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {{x: number, y: number, w: number, h: number}} box
   * @param {string} name
   * @param {number} scale
   */
  drawName(pen, box, name, scale) {
    const size = Math.max(13, Math.min(22, this.canvas.clientWidth / 52)) * scale;
    pen.font = `600 ${size}px ${FONT}`;
    const width = pen.measureText(name).width + size;
    const height = size * 1.6;
    const below = box.y + box.h + 6 * scale;
    const y = below + height > this.canvas.height ? box.y - height - 6 * scale : below;
    const x = Math.max(0, Math.min(box.x + (box.w - width) / 2, this.canvas.width - width));
    pen.fillStyle = "rgb(8 20 18 / 82%)";
    pen.beginPath();
    pen.roundRect(x, y, width, height, 6 * scale);
    pen.fill();
    pen.fillStyle = "#ffffff";
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    pen.fillText(name, x + width / 2, y + height / 2);
  }
}
