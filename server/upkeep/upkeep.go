// Package upkeep runs what has to happen every so often, once for all instances.
//
// A job is claimed by a conditional write of its row, in the transaction that also does its work: so it runs once
// however many instances there are, a crash gives it back, and a restart neither forgets nor repeats it.
package upkeep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// lookEvery is how often an instance looks for jobs that are due.
const lookEvery = time.Minute

// Job is something to do every so often. Run may be run again and has no effect outside its transaction.
type Job struct {
	Name  string
	Every time.Duration
	Run   func(ctx context.Context, tx database.Tx) error
}

// Upkeep keeps the jobs of one instance.
type Upkeep struct {
	db     *database.Database
	logger *slog.Logger
	jobs   []Job
}

// New prepares the jobs.
func New(db *database.Database, logger *slog.Logger, jobs ...Job) *Upkeep {
	return &Upkeep{db: db, logger: logger, jobs: jobs}
}

type row struct {
	bun.BaseModel `bun:"table:jobs"`

	Name       string           `bun:"name,pk"`
	NextAt     database.Instant `bun:"next_at"`
	StartedAt  database.Instant `bun:"started_at,nullzero"`
	FinishedAt database.Instant `bun:"finished_at,nullzero"`
}

// Once runs what is due and answers which jobs were this instance's. One that fails does not keep the others from
// running.
func (u *Upkeep) Once(ctx context.Context) ([]string, error) {
	var done []string
	var failed []error
	for _, job := range u.jobs {
		mine := false
		err := u.db.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
			if mine, err = claim(ctx, tx, job); err != nil || !mine {
				return err
			}
			return job.Run(ctx, tx)
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("job %s: %w", job.Name, err))
		} else if mine {
			done = append(done, job.Name)
		}
	}
	return done, errors.Join(failed...)
}

// claim takes the job if it is due. The claim and the work commit together.
func claim(ctx context.Context, tx database.Tx, job Job) (bool, error) {
	now := database.At(tx.Now)
	if _, err := tx.NewInsert().Model(&row{Name: job.Name}).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return false, fmt.Errorf("name the job: %w", err)
	}
	touched, err := database.Touched(tx.NewUpdate().Model((*row)(nil)).
		Set("next_at = ?", database.At(tx.Now.Add(job.Every))).Set("started_at = ?", now).Set("finished_at = ?", now).
		Where("name = ? AND next_at <= ?", job.Name, now).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("claim the job: %w", err)
	}
	return touched == 1, nil
}

// Keep looks for due jobs until ctx ends. What fails is logged and tried again the next time.
func (u *Upkeep) Keep(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if _, err := u.Once(ctx); err != nil && ctx.Err() == nil {
			u.logger.ErrorContext(ctx, "upkeep failed", "cause", err, "stack", stack(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// stack is where a job panicked; empty where none did.
func stack(err error) string {
	if caught := (*database.Panic)(nil); errors.As(err, &caught) {
		return string(caught.Stack)
	}
	return ""
}
