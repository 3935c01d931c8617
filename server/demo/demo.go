// Package demo plays an installation: the people of a small company, and a few weeks of what they did.
//
// Nothing in it is forged. People are added as the console adds them; all else is done by calls of the HTTP API, from
// browsers of theirs, with a clock that begins weeks ago. So the demo can show nothing that the product does not make.
//
// It is never made where anybody is already: Make refuses a database that Secondstep has ever written to, and Codes
// answers only for a folder that Make has marked.
package demo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/hashing"
)

// Password is everybody's in the demo.
const Password = "kettle-orbit-plum" //nolint:gosec // no secret: the demo prints it

// cheap is what hashing costs while the story is made. The password and the codes are printed on the terminal, so a dear
// hash would hide nothing; as after any rise of the cost, somebody's next sign-in hashes their password anew.
var cheap = hashing.Params{Memory: 64, Time: 1, Threads: 1}

// ErrInUse refuses to make a demo where something is already.
var ErrInUse = errors.New("there is an installation already, and a demo is never made in one: name an empty folder or database")

// Options say where the demo is made. Config.Now says until when the story goes, and is not changed.
type Options struct {
	Config    server.Config
	PublicURL *url.URL
	Progress  func(done, total int) // told after each act; nil is allowed
}

// Demo is what has been made.
type Demo struct {
	People []Person // those whose state is worth a visit, in the order of the instructions
	Total  int
	Folder string
	Noted  bool // `demo code` finds it without being told where it is
}

// Person is somebody to sign in as.
type Person struct {
	Name, Email, Role string
	State             string   // what is special about them, as a sentence
	BackupCodes       []string // some that are good
	Link              string   // to enrol by, of somebody who was reset
}

// Make marks the folder, opens the database, lets the story happen and closes the database again, ready to be served.
func Make(ctx context.Context, options Options) (demo *Demo, err error) {
	used, err := database.Used(ctx, database.Options{URL: options.Config.DatabaseURL, Folder: options.Config.Data})
	if err != nil {
		return nil, err
	}
	if used {
		return nil, ErrInUse
	}
	if err := mark(options.Config.Data, options.Config.DatabaseURL); err != nil {
		return nil, err
	}
	until := options.Config.Now()
	clock := &clock{now: until.AddDate(0, 0, -days)}
	config := options.Config
	config.Now, config.PasswordCost, config.BackupCodeCost = clock.Now, cheap, cheap
	config.Logger = slog.New(slog.DiscardHandler)
	installation, err := server.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, installation.Close()) }()
	api, err := installation.API(server.Face{PublicURL: options.PublicURL})
	if err != nil {
		return nil, err
	}
	s := &story{ctx: ctx, clock: clock, until: until, wire: newWire(), url: options.PublicURL.String(), installation: installation}
	served := make(chan error, 1)
	go func() { served <- api.Handler().Listener(s.wire) }()
	err = s.happen(options.Progress)
	err = errors.Join(err, api.Handler().Shutdown())
	// Told to stop before it began to accept, Shutdown has found nothing to end; without its listener it ends.
	_ = s.wire.Close()
	if ended := <-served; !errors.Is(ended, net.ErrClosed) {
		err = errors.Join(err, ended)
	}
	return s.told(), err
}

// act is something that happens at a time.
type act struct {
	at time.Time
	do func() error
}

// story is a demo being made.
type story struct {
	ctx          context.Context
	clock        *clock
	until        time.Time
	wire         *wire
	url          string
	installation *server.Server
	people       []*person
	acts         []act
}

// plan lets something happen so many days before the end, at a time of that day.
func (s *story) plan(daysAgo int, at time.Duration, do func() error) {
	s.planAt(s.until.AddDate(0, 0, -daysAgo).Truncate(24*time.Hour).Add(at), do)
}

func (s *story) planAt(at time.Time, do func() error) {
	s.acts = append(s.acts, act{at, do})
}

// happen does everything in the order of its time.
func (s *story) happen(progress func(done, total int)) error {
	if err := s.found(); err != nil {
		return err
	}
	s.write()
	slices.SortStableFunc(s.acts, func(a, b act) int { return a.at.Compare(b.at) })
	for n, one := range s.acts {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		s.clock.to(one.at)
		if err := one.do(); err != nil {
			return err
		}
		if progress != nil {
			progress(n+1, len(s.acts))
		}
	}
	if s.clock.Now().After(s.until) {
		return fmt.Errorf("the story ends %s too late", s.clock.Now().Sub(s.until))
	}
	return nil
}

// pick chooses one of n, always the same for the same things: two demos differ in nothing but their dates.
func pick(n int, of ...any) int {
	sum := sha256.Sum256(fmt.Append(nil, of...))
	return int(binary.BigEndian.Uint32(sum[:]) % uint32(n))
}
