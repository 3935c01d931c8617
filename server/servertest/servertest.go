// Package servertest starts the real server for tests: on either database, behind a real listener, with a clock that
// is set by hand, and with clients that keep cookies as browsers do.
package servertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/database/databasetest"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/settings"
)

// Cheap is the least argon2id, so that tests count computations instead of waiting for them.
var Cheap = hashing.Params{Memory: 8, Time: 1, Threads: 1}

// Password is every test person's.
const Password = "correct horse battery staple"

// Clock is set by hand. It begins in the middle of a step, so that a little time passes without a new code.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time of the installation.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// NextStep moves the clock to the middle of the next step of 30 seconds.
func (c *Clock) NextStep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Truncate(30 * time.Second).Add(45 * time.Second)
}

// Options change what a test needs otherwise. The zero value is the usual installation.
type Options struct {
	PublicURL      string // such as https://id.example.test; empty: the listener's own address
	TrustedProxies []netip.Prefix
	Window         *int
	SecurityKeys   bool // goes with a PublicURL that has a host name
	HashWorkers    int
	Brand          string           // that a flag has set
	Fixed          []settings.Fixed // what else flags have set
	PasswordCost   hashing.Params
	Mail           bool // mail leaves, and arrives in the installation's Mailbox
	HelpFolder     string
	ChatURL        string
	Recovery       recovery.Settings
}

// MailURL is what the links in mails are made from where a test sets no PublicURL.
const MailURL = "https://mailmachine.example.test"

// Installation is one database with the instances that serve it.
type Installation struct {
	Clock     *Clock
	Instances []*Instance
	Postgres  bool
	Folder    string   // of the embedded database and the key ring
	URL       string   // of the PostgreSQL database
	Mailbox   *Mailbox // where Options.Mail asks for one

	t       testing.TB
	options Options
}

// Instance is one server process's worth.
type Instance struct {
	*server.Server
	URL string
	Log *Log
	t   testing.TB

	stop func()
}

// Log gathers everything that is logged, at every level.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// OnBoth runs the test on SQLite and on PostgreSQL.
func OnBoth(t *testing.T, run func(t *testing.T, in *Installation), options ...Options) {
	t.Helper()
	for _, postgres := range []bool{false, true} {
		name := "sqlite"
		if postgres {
			name = "postgres"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, start(t, postgres, options...))
		})
	}
}

// OnSQLite starts an installation on the embedded database.
func OnSQLite(t testing.TB, options ...Options) *Installation { return start(t, false, options...) }

// OnPostgres starts an installation on a fresh PostgreSQL database.
func OnPostgres(t testing.TB, options ...Options) *Installation { return start(t, true, options...) }

func start(t testing.TB, postgres bool, options ...Options) *Installation {
	t.Helper()
	in := &Installation{
		Clock: &Clock{now: time.Date(2026, 3, 12, 9, 41, 12, 0, time.UTC)}, Postgres: postgres, Folder: t.TempDir(), t: t,
	}
	if len(options) > 0 {
		in.options = options[0]
	}
	if postgres {
		in.URL = databasetest.Like(t, migratedPostgres)
	} else if err := likeMigratedFile(in.Folder); err != nil {
		t.Fatal(err)
	}
	if in.options.Mail {
		in.Mailbox = NewMailbox(t, mail.Plain, "", "")
	}
	in.Another()
	t.Cleanup(in.counted)
	return in
}

// Another starts one more instance on the same database. On SQLite that is a restart: stop the one before first.
func (in *Installation) Another() *Instance { return in.Adrift(0) }

// Adrift starts one more instance, on a machine whose clock is ahead of the installation's by so much.
func (in *Installation) Adrift(by time.Duration) *Instance {
	in.t.Helper()
	log := &Log{}
	config := in.config(log)
	config.Now = func() time.Time { return in.Clock.Now().Add(by) }
	config.Host = fmt.Sprintf("web-%d", len(in.Instances)+1)
	opened, err := server.Open(context.Background(), config)
	if err != nil {
		in.t.Fatal(err)
	}
	if err := opened.Mail.Announce(context.Background()); err != nil {
		in.t.Fatal(err)
	}
	return in.serve(opened, log)
}

// config is what the test's options make of an installation's configuration.
func (in *Installation) config(log *Log) server.Config {
	in.t.Helper()
	logger := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cost := in.options.PasswordCost
	if cost == (hashing.Params{}) {
		cost = Cheap
	}
	window := 1
	if in.options.Window != nil {
		window = *in.options.Window
	}
	var keys *url.URL
	if in.options.SecurityKeys {
		site, err := url.Parse(in.options.PublicURL)
		if err != nil {
			in.t.Fatal(err)
		}
		keys = site
	}
	return server.Config{
		Data: in.Folder, DatabaseURL: in.URL, Version: "test", Brand: in.options.Brand, Fixed: in.options.Fixed,
		PasswordCost: cost, BackupCodeCost: Cheap, HashWorkers: in.options.HashWorkers, HashWait: 5 * time.Second,
		Sessions: session.Settings{
			Member:        session.Life{Idle: 30 * time.Minute, Absolute: 12 * time.Hour},
			Administrator: session.Life{Idle: 15 * time.Minute, Absolute: 8 * time.Hour},
		},
		TOTPWindow: window, SecurityKeys: keys, Mail: in.mail(), HelpFolder: in.options.HelpFolder, ChatURL: in.options.ChatURL, Recovery: in.options.Recovery, Now: in.Clock.Now, Random: rand.Reader, Logger: logger,
	}
}

// mail is how mails leave, where the test wants them to.
func (in *Installation) mail() *mail.Settings {
	in.t.Helper()
	if in.Mailbox == nil {
		return nil
	}
	public := MailURL
	if in.options.PublicURL != "" {
		public = in.options.PublicURL
	}
	links, err := url.Parse(public)
	if err != nil {
		in.t.Fatal(err)
	}
	from := &netmail.Address{Name: "MailMachine", Address: "no-reply@example.test"}
	return &mail.Settings{Server: in.Mailbox.Server, From: from, PublicURL: links, Language: "en"}
}

// serve opens a port for an instance.
func (in *Installation) serve(opened *server.Server, log *Log) *Instance {
	in.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		in.t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	face := server.Face{TrustedProxies: in.options.TrustedProxies, Dist: page}
	public := address
	if in.options.PublicURL != "" {
		public = in.options.PublicURL
	} else {
		face.LoopbackAliases = true
	}
	if face.PublicURL, err = url.Parse(public); err != nil {
		in.t.Fatal(err)
	}
	api, err := opened.API(face)
	if err != nil {
		in.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- api.Handler().Listener(listener) }()
	var once sync.Once
	instance := &Instance{Server: opened, URL: address, Log: log, t: in.t}
	instance.stop = func() {
		once.Do(func() {
			if err := api.Handler().Shutdown(); err != nil {
				in.t.Error(err)
			}
			// Told to stop before it began to accept, Shutdown has found nothing to end; without its listener it ends.
			if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				in.t.Error(err)
			}
			if err := <-ended; err != nil {
				in.t.Error(err)
			}
			if err := opened.Close(); err != nil {
				in.t.Error(err)
			}
		})
	}
	in.t.Cleanup(instance.stop)
	in.Instances = append(in.Instances, instance)
	return instance
}

// Stop ends the instance as a graceful stop does.
func (i *Instance) Stop() { i.stop() }

// First is the installation's first instance.
func (in *Installation) First() *Instance { return in.Instances[0] }

// SetupToken makes a setup link's token, as every start does; empty where there is an administrator.
func (i *Instance) SetupToken() string {
	i.t.Helper()
	token, err := i.SignIn.IssueSetupLink(context.Background())
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}

// AddPerson adds somebody with Password, as the console does, and answers the id.
func (in *Installation) AddPerson(name, email, role string) string {
	in.t.Helper()
	first := in.First()
	hash, err := first.Passwords.Pool.Hash(context.Background(), Password, first.Passwords.Cost)
	if err != nil {
		in.t.Fatal(err)
	}
	var id string
	err = first.Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error {
		if role == account.Administrator {
			if _, err := account.ClaimFirstAdministrator(ctx, tx); err != nil {
				return err
			}
		}
		user, err := account.Create(ctx, tx, account.New{Name: name, Email: email, Role: role, PasswordHash: hash})
		if err == nil {
			id = user.ID
		}
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return id
}

// Column reads one column of all rows that a query finds, as text, straight from the database.
func (in *Installation) Column(query string, args ...any) []string {
	in.t.Helper()
	var list []string
	if err := in.First().Database.Read().NewRaw(query, args...).Scan(context.Background(), &list); err != nil {
		in.t.Fatal(err)
	}
	return list
}

// Change writes to the database behind the server's back, as an accident or an attacker with the file would.
func (in *Installation) Change(query string, args ...any) {
	in.t.Helper()
	err := in.First().Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error {
		if _, err := tx.NewRaw(query, args...).Exec(ctx); err != nil {
			return err
		}
		return recount(ctx, tx, query)
	})
	if err != nil {
		in.t.Fatal(err)
	}
}

// Files reads everything that lies in the data folder.
func (in *Installation) Files() map[string][]byte {
	in.t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(in.Folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found[entry.Name()] = content
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return found
}

// page stands for the built front end, whose screens are tested in a browser.
var page = fstest.MapFS{"index.html": {Data: []byte(fmt.Sprintf(
	`<!doctype html><title></title>%s%s%s%s%s`,
	`<meta name="secondstep-brand" content="">`,
	`<meta name="secondstep-version" content="">`,
	`<meta name="secondstep-mails" content="">`,
	`<meta name="secondstep-setup-needed" content="">`,
	`<meta name="secondstep-session" content="">`))}}
