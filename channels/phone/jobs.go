package phone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"hearken/complaint"
)

// The kinds of jobs.
const (
	jobEnd        = "end"        // a call ended: register it, unless something else did
	jobRecording  = "recording"  // fetch a recording
	jobMedia      = "media"      // fetch the files of a text message
	jobTranscript = "transcript" // have a recording transcribed
	jobDelete     = "delete"     // delete a recording at the carrier
	jobText       = "text"       // send a complaint number as a text message
	jobDelivery   = "delivery"   // book what became of a text message on its complaint
)

// job is something left to be done. It lies in the notebook from before
// anybody is told that it will be done until it is.
type job struct {
	Kind    string            `json:"kind"`
	ID      string            `json:"id"` // within its kind
	Contact complaint.Contact `json:"contact"`
	Args    map[string]string `json:"args,omitempty"`
	Since   time.Time         `json:"since"`
	Due     time.Time         `json:"due,omitzero"`
	Opened  bool              `json:"opened,omitempty"` // the complaint is registered, as far as this job is concerned
}

func (j job) key() string { return "job/" + j.Kind + "/" + j.ID }

// Keys of other notes: stamps of what is done, for repetitions.
const doneKey = "done/"

const (
	stampsKept = 7 * 24 * time.Hour
	retryFirst = time.Second // a file may lag behind the news of it
	retryMost  = time.Minute
	// perKind bounds how many jobs of a kind run at once: a transcription that
	// takes minutes holds up no recording.
	perKind = 4
)

// task is a job in memory.
type task struct {
	job     job
	next    time.Time
	pause   time.Duration
	running bool
}

// jobs works off what is in the notebook. A job that fails is tried again,
// with growing pauses; it is the job's own business to give up.
type jobs struct {
	notes Notebook
	log   *slog.Logger
	do    map[string]func(context.Context, job) error

	mu    sync.Mutex
	tasks map[string]*task
	wake  chan struct{}
}

func newJobs(notes Notebook, log *slog.Logger, do map[string]func(context.Context, job) error) *jobs {
	return &jobs{notes: notes, log: log, do: do, tasks: map[string]*task{}, wake: make(chan struct{}, 1)}
}

// add puts a job down; it returns once it is on disk. One that is there, or
// was done within the last days, is not put down again.
func (q *jobs) add(j job) error {
	key := j.key()
	q.mu.Lock()
	known := q.tasks[key] != nil
	q.mu.Unlock()
	if known {
		return nil
	}
	for _, k := range []string{key, doneKey + key} { // on disk, but not in memory before run begins
		have, err := q.notes.List(k)
		if err != nil || have[k] != nil {
			return err
		}
	}
	if j.Since.IsZero() {
		j.Since = time.Now()
	}
	// The contact's maps are the caller's, who goes on with them.
	j.Contact.Facts, j.Contact.Notes = maps.Clone(j.Contact.Facts), slices.Clone(j.Contact.Notes)
	if err := q.save(j); err != nil {
		return err
	}
	q.mu.Lock()
	q.tasks[key] = &task{job: j, next: j.Due}
	q.mu.Unlock()
	q.nudge()
	return nil
}

// save writes a job as it is now.
func (q *jobs) save(j job) error {
	b, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("encode the job %s: %w", j.key(), err)
	}
	return q.notes.Put(j.key(), b)
}

func (q *jobs) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends, and waits for what is under way.
func (q *jobs) run(ctx context.Context) error {
	if err := q.load(); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	tidied := time.Time{}
	for {
		if time.Since(tidied) > time.Hour {
			tidied = time.Now()
			if err := q.tidy(); err != nil {
				q.log.Warn("tidy the notebook", "err", err)
			}
		}
		due, wait := q.due(time.Now())
		for _, t := range due {
			wg.Go(func() { q.one(ctx, t) })
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-q.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (q *jobs) load() error {
	notes, err := q.notes.List("job/")
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, v := range notes {
		var j job
		if err := json.Unmarshal(v, &j); err != nil || q.do[j.Kind] == nil {
			q.log.Error("a job in the notebook can't be read; it is left there", "key", key, "err", err)
			continue
		}
		if q.tasks[key] == nil {
			q.tasks[key] = &task{job: j, next: j.Due}
		}
	}
	return nil
}

// due takes what is to be done now, and tells how long nothing else is.
func (q *jobs) due(now time.Time) (due []*task, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	running := map[string]int{}
	for _, t := range q.tasks {
		if t.running {
			running[t.job.Kind]++
		}
	}
	wait = time.Hour
	for _, t := range q.tasks {
		switch left := t.next.Sub(now); {
		case t.running:
		case left > 0:
			wait = min(wait, left)
		case running[t.job.Kind] < perKind: // else the end of one wakes us
			running[t.job.Kind]++
			t.running = true
			due = append(due, t)
		}
	}
	return due, wait
}

// one does a job once.
func (q *jobs) one(ctx context.Context, t *task) {
	defer q.nudge()
	j := t.job
	j.Contact.Facts, j.Contact.Notes = maps.Clone(j.Contact.Facts), slices.Clone(j.Contact.Notes)
	err := q.guard(ctx, j)
	if err == nil {
		err = q.finish(t.job)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	t.running = false
	if err == nil {
		delete(q.tasks, t.job.key())
		return
	}
	first := t.pause == 0
	t.pause = min(max(2*t.pause, retryFirst), retryMost)
	t.next = time.Now().Add(t.pause)
	if first && ctx.Err() == nil {
		q.log.Info("a job failed; will be tried again", "job", t.job.Kind, "id", t.job.ID, "err", err)
	}
}

// guard keeps a panic of one job from ending the others.
func (q *jobs) guard(ctx context.Context, j job) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in a job: %v", v)
		}
	}()
	return q.do[j.Kind](ctx, j)
}

// finish stamps a job as done and drops it.
func (q *jobs) finish(j job) error {
	b, err := json.Marshal(time.Now())
	if err != nil {
		return err
	}
	if err := q.notes.Put(doneKey+j.key(), b); err != nil {
		return err
	}
	return q.notes.Delete(j.key())
}

// opened remembers that a job's complaint is registered.
func (q *jobs) opened(j job) error {
	j.Opened = true
	q.mu.Lock()
	if t := q.tasks[j.key()]; t != nil {
		t.job.Opened = true
	}
	q.mu.Unlock()
	return q.save(j)
}

// tidy drops stamps that no repetition will ask for any more.
func (q *jobs) tidy() error {
	notes, err := q.notes.List(doneKey)
	errs := []error{err}
	for key, v := range notes {
		var at time.Time
		if json.Unmarshal(v, &at) != nil || time.Since(at) > stampsKept {
			errs = append(errs, q.notes.Delete(key))
		}
	}
	return errors.Join(errs...)
}
