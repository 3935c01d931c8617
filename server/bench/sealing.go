package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// sealing measures second steps while their events are sealed, against the same while nobody seals.
func sealing(b *bench) error {
	for _, kind := range b.kinds {
		if err := sealingOn(b, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func sealingOn(b *bench, kind string) (err error) {
	people := 6400
	if kind == onPostgres {
		people = 3200
	}
	in, err := b.open(kind, people)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if err := in.protect(); err != nil {
		return err
	}
	measure := func(sealed bool) (*load, error) {
		next, err := in.pendings(people)
		if err != nil {
			return nil, err
		}
		if _, err := in.Seals.All(b.ctx); err != nil { // what the turn before has left
			return nil, err
		}
		ctx, stop := context.WithCancel(b.ctx)
		var beside sync.WaitGroup
		if sealed {
			beside.Go(func() { in.Seals.Keep(ctx) })
		}
		got, err := crowd(in.address, 64, people, next)
		stop()
		beside.Wait()
		if err == nil {
			err = got.refused()
		}
		return got, err
	}
	var rates [2][]float64
	var p99 [2][]time.Duration
	for round := range b.rounds + 1 { // the first warms up
		for n, sealed := range []bool{false, true} {
			got, err := measure(sealed)
			if err != nil {
				return err
			}
			if round > 0 {
				rates[n], p99[n] = append(rates[n], got.rate()), append(p99[n], percentile(got.each, 0.99))
			}
		}
	}
	b.table.atLeast("second steps beside sealing, against without, 64 connections, "+kind, median(rates[1]), median(rates[0]), 0.80)
	b.table.atMost("p99 of a second step beside sealing, against without, "+kind, median(p99[1]), median(p99[0]), 1.5)
	return nil
}
