// Jobs: one after the other, each followed until it ends.
import {$, api} from '/talk.js';
import {duration, t} from '/text.js';

const OVER = ['done', 'failed', 'cancelled'];
const AGAIN = 3000;  // ms until a server that is busy is asked again
const later = () => new Promise(done => setTimeout(done, AGAIN));

export class Work {
  // onChange: there is something to show; onEnd(job, task): how a job has ended.
  constructor(onChange, onEnd) {
    Object.assign(this, {onChange, onEnd});
    this.waiting = [];  // tasks: {picture, send}, where send posts the job
    this.task = null;  // the one that runs
    this.job = null;  // of it, as the server tells
    this.total = 0;  // tasks, those that have ended included
    this.pausing = false;  // whether none is begun for now
    this.go = null;  // ends the pause, where one has begun
  }

  get busy() { return this.total > 0; }

  async add(tasks) {
    const {busy} = this;
    this.waiting.push(...tasks);
    this.total += tasks.length;
    if (busy) return;
    while (this.waiting.length) {
      if (this.pausing) {
        await new Promise(go => {
          this.go = go;
          this.onChange(this.text());
        });
        this.go = null;
        continue;  // All may have been cancelled.
      }
      const task = this.task = this.waiting.shift();
      this.stopped = false;
      this.onChange();
      const job = await this.run(task);
      this.task = this.job = null;
      await this.onEnd(job, task);
    }
    this.total = 0;
    this.pausing = false;
    this.onChange();
  }

  // Begins no further one for now, or goes on.
  pause() {
    this.pausing = !this.pausing;
    if (!this.pausing) this.go?.();
    this.onChange(this.text());
  }

  // The job of a task when it has ended.
  async run(task) {
    while (!this.stopped)
      try {
        return await this.follow(await task.send());
      } catch (error) {
        // Others fill the queue: of many pictures none is given up for that.
        if (error.status !== 429 || this.total < 2) return {state: 'failed', error};
        await later();
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
               reason: t('error.gone')});
      };
    });
  }

  // Ends what runs and what waits.
  async cancel() {
    this.waiting = [];
    this.stopped = true;
    this.pausing = false;
    this.go?.();
    if (this.job) await api(`jobs/${this.job.id}/cancel`, {method: 'POST'});
  }

  // How far it is.
  text() {
    if (this.go) return t('job.paused', {n: this.waiting.length});
    let state = t(...this.state());
    if (this.pausing && this.waiting.length) state = t('job.pausing', {state});
    return this.total > 1
        ? t('job.many', {i: this.total - this.waiting.length, n: this.total, state}) : state;
  }

  // Key and values of that.
  state() {
    const {job} = this;
    if (!job) return ['job.starting'];
    if (job.stopping) return ['job.stopping'];
    if (job.state === 'running') {
      const values = {i: job.done, n: job.total};
      return job.eta === null ? ['job.tile', values]
          : ['job.left', {...values, time: duration(job.eta)}];
    }
    const waits = ['queued', 'preparing'].includes(job.state);
    if (waits && job.cold) return ['job.cold'];
    return job.state === 'preparing' ? ['job.starting'] : [`job.${job.state}`, {n: job.place}];
  }

  // Shows it in the bar of the main action.
  show() {
    const {job} = this;
    $('job').hidden = $('cancel').hidden = !this.busy;
    $('run').hidden = this.busy;
    $('pause').hidden = !this.waiting.length;
    $('pause').textContent = t(this.pausing ? 'resume' : 'pause');
    if (!this.busy) return;
    $('progress').textContent = this.text();
    if (this.go) {
      $('bar').max = this.total;
      $('bar').value = this.total - this.waiting.length;
    } else if (job?.total) { $('bar').max = job.total; $('bar').value = job.done; }
    else $('bar').removeAttribute('value');
    $('cancel').disabled = Boolean(job?.stopping);
  }
}
