package main

import (
	"errors"
	"net"

	"github.com/gofiber/fiber/v2"
)

// sessionChecks measures who-am-I against bare Fiber.
func sessionChecks(b *bench) error {
	for _, kind := range b.kinds {
		if err := sessionChecksOn(b, kind); err != nil {
			return err
		}
	}
	return nil
}

func sessionChecksOn(b *bench, kind string) (err error) {
	const connections, count = 64, 100_000
	in, err := b.open(kind, 1000)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	cookies, err := in.sessions(connections * 10)
	if err != nil {
		return err
	}
	requests := make([][]byte, len(cookies))
	for n, cookies := range cookies {
		requests[n] = request("GET", "/api/v1/session", cookies, "")
	}
	next := func(n int) []byte { return requests[n%len(requests)] }
	bare, stop, err := constant()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	var ours, theirs []float64
	for round := range b.rounds + 1 {
		for _, one := range []struct {
			address string
			into    *[]float64
		}{{in.address, &ours}, {bare, &theirs}} {
			got, err := crowd(one.address, connections, count, next)
			if err == nil {
				err = got.refused()
			}
			if err != nil {
				return err
			}
			if round > 0 {
				*one.into = append(*one.into, got.rate())
			}
		}
	}
	b.table.atLeast("session checks, 64 connections, "+kind, median(ours), median(theirs), 0.50)
	return nil
}

// constant serves a constant JSON as bare Fiber does.
func constant() (address string, stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once or not at all
	if err != nil {
		return "", nil, err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/api/v1/session", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.SendString(`{"state":"signed_in"}`)
	})
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(listener) }()
	return listener.Addr().String(), func() error { return errors.Join(app.Shutdown(), <-ended) }, nil
}
