/* The server's clock, told by heartbeats and carried on by performance.now(); the browser's Date is never asked. */
(function () {
  "use strict";
  const wallboard = (window.wallboard = window.wallboard || {});
  const STEP_MS = 250;

  class Clock {
    constructor() {
      this.ahead = null;
      this.offset = 0;
    }

    /* A heartbeat that was quicker is nearer to the truth; one that is far behind means that the clock was set. */
    hear(now, offsetMinutes) {
      const ahead = now - performance.now();
      if (this.ahead === null || ahead > this.ahead || this.ahead - ahead > STEP_MS) this.ahead = ahead;
      this.offset = offsetMinutes * 60000;
    }

    now() {
      return this.ahead === null ? null : performance.now() + this.ahead;
    }

    /* The hotline's wall clock, hh:mm:ss. */
    time(at) {
      const day = 86400000;
      const seconds = Math.floor(((((at + this.offset) % day) + day) % day) / 1000);
      const two = (n) => String(n).padStart(2, "0");
      return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    }
  }

  wallboard.Clock = Clock;
})();
