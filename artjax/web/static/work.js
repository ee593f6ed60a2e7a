// Jobs: one after the other, each followed until it ends.
import {$, api, duration} from '/talk.js';

const OVER = ['done', 'failed', 'cancelled'];
const AGAIN = 3000;  // ms until a server that is busy is asked again
const pause = () => new Promise(done => setTimeout(done, AGAIN));

export class Work {
  // onChange: there is something to show; onEnd(job, task): how a job has ended.
  constructor(onChange, onEnd) {
    Object.assign(this, {onChange, onEnd});
    this.waiting = [];  // tasks: {picture, send}, where send posts the job
    this.task = null;  // the one that runs
    this.job = null;  // of it, as the server tells
    this.total = 0;  // tasks, those that have ended included
  }

  get busy() { return Boolean(this.task); }

  async add(tasks) {
    this.waiting.push(...tasks);
    this.total += tasks.length;
    if (this.task) return;
    while ((this.task = this.waiting.shift())) {
      const {task} = this;
      this.stopped = false;
      this.onChange();
      const job = await this.run(task);
      this.task = this.job = null;
      await this.onEnd(job, task);
    }
    this.total = 0;
    this.onChange();
  }

  // The job of a task when it has ended.
  async run(task) {
    while (!this.stopped)
      try {
        return await this.follow(await task.send());
      } catch (error) {
        // Others fill the queue: of many pictures none is given up for that.
        if (error.status !== 429 || this.total < 2) return {state: 'failed', error};
        await pause();
      }
    return {state: 'cancelled'};
  }

  follow(job) {
    this.job = job;
    sessionStorage.setItem('job', job.id);
    this.onChange();
    if (this.stopped) this.cancel();
    return new Promise(resolve => {
      const events = new EventSource(`/api/jobs/${job.id}/events`);
      const end = last => {
        events.close();
        sessionStorage.removeItem('job');
        resolve(last);
      };
      events.onmessage = event => {
        const last = JSON.parse(event.data);
        const same = last.state === this.job.state;
        this.job = last;
        this.onChange(same ? '' : this.text());
        if (OVER.includes(last.state)) end(last);
      };
      events.onerror = () => {  // else the browser connects again by itself
        if (events.readyState === EventSource.CLOSED)
          end({...job, state: 'failed',
               reason: 'the job no longer exists: the server was restarted, or the session expired'});
      };
    });
  }

  // Ends what runs and what waits.
  async cancel() {
    this.waiting = [];
    this.stopped = true;
    if (this.job) await api(`jobs/${this.job.id}/cancel`, {method: 'POST'});
  }

  // How far it is.
  text() {
    const {job} = this;
    const many = this.total > 1
        ? `Picture ${this.total - this.waiting.length} of ${this.total}. ` : '';
    if (!job) return `${many}Starting`;
    const first = 'Loading and compiling the networks: the first picture of a size takes longer';
    return many + (job.stopping ? 'Stopping after this tile' : {
      queued: job.cold ? first : `Waiting in the queue: place ${job.place}`,
      preparing: job.cold ? first : 'Starting',
      running: `Tile ${job.done} of ${job.total}${
          job.eta === null ? '' : `, about ${duration(job.eta)} left`}`,
      finishing: 'Writing the files and the preview',
      done: 'Done', cancelled: 'Cancelled', failed: 'Failed'}[job.state]);
  }

  // Shows it in the bar of the main action.
  show() {
    const {job} = this;
    $('job').hidden = $('cancel').hidden = !this.busy;
    $('run').hidden = this.busy;
    if (!this.busy) return;
    $('progress').textContent = this.text();
    if (job?.total) { $('bar').max = job.total; $('bar').value = job.done; }
    else $('bar').removeAttribute('value');
    $('cancel').disabled = Boolean(job?.stopping);
  }
}
