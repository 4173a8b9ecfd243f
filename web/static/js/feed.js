// The numbered events of one session: none missed, none twice, in order.

import { io } from "../vendor/socket.io.esm.min.js";

/**
 * @typedef {{number: number, kind: string, at: string, student_id: number | null,
 *   payload: Record<string, any>}} SessionEvent
 * @typedef {{session: any, as_of: number, events: SessionEvent[], rows: any[], more: boolean,
 *   camera?: any, error?: string}} EventsMessage
 * @typedef {{onEvents: (message: EventsMessage, fresh: SessionEvent[]) => void,
 *   onCamera: (camera: any) => void, onTrouble: (sentence: string) => void,
 *   onConnection: (isConnected: boolean) => void}} Listener
 */

export class Feed {
  /**
   * @param {number} session
   * @param {number} last the number of the last event the page knows
   * @param {Listener} listener
   */
  constructor(session, last, listener) {
    this.session = session;
    this.last = last;
    /** The highest number heard of, taken or not. */
    this.heard = last;
    this.listener = listener;
    this.isAsking = false;
    this.socket = io("/live", {
      transports: ["websocket", "polling"],
      reconnectionDelay: 250,
      reconnectionDelayMax: 2000,
    });
    this.socket.on("connect", () => this.subscribe());
    this.socket.on("disconnect", () => listener.onConnection(false));
    this.socket.on("connect_error", () => listener.onConnection(false));
    this.socket.on("events", (/** @type {EventsMessage} */ message) => this.take(message));
    this.socket.on("camera", listener.onCamera);
    this.socket.on("trouble", (/** @type {{message: string}} */ trouble) =>
      listener.onTrouble(trouble.message),
    );
    this.watchNetwork();
  }

  /** A browser that knows it is offline need not wait for a heartbeat to say so. */
  watchNetwork() {
    addEventListener("offline", () => {
      this.listener.onConnection(false);
      this.socket.io.engine?.close();
    });
    addEventListener("online", () => {
      if (!this.socket.connected) this.socket.disconnect().connect();
    });
  }

  /** Says which number the page has and takes everything after it. */
  subscribe() {
    this.isAsking = true;
    const question = { session: this.session, after: this.last };
    this.socket.emit("subscribe", question, (/** @type {EventsMessage} */ answer) => {
      this.isAsking = false;
      if (answer.error) {
        this.listener.onTrouble(answer.error);
        return;
      }
      this.listener.onConnection(true);
      this.listener.onTrouble("");
      this.take(answer);
      if (answer.camera) this.listener.onCamera(answer.camera);
      if (answer.more || this.heard > this.last) this.subscribe();
    });
  }

  /**
   * Takes what is new; where a number is missing, asks again instead. A push that overtakes an
   * answer on its way is such a case: it is left out now and asked for after the answer.
   * @param {EventsMessage} message
   */
  take(message) {
    this.heard = Math.max(this.heard, ...message.events.map((event) => event.number));
    const unknown = message.events.filter((event) => event.number > this.last);
    const hasGap = unknown.length > 0 && unknown[0].number !== this.last + 1;
    if (hasGap) {
      if (!this.isAsking) this.subscribe();
      return;
    }
    if (unknown.length > 0) this.last = unknown[unknown.length - 1].number;
    this.listener.onEvents(message, unknown);
  }
}
