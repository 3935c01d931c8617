package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/demo"
	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/session"
)

// installation is a server in this process, behind a real listener, with people whose phones are all the same.
type installation struct {
	*server.Server
	ctx     context.Context
	config  server.Config
	address string
	people  []string // ids
	secret  []byte   // in everybody's app
	later   atomic.Int64
	tokens  int
	close   func() error
}

// kinds of databases.
const (
	onSQLite   = "SQLite"
	onPostgres = "PostgreSQL"
)

// now is the installation's clock: the real one, put forward for new codes.
func (in *installation) now() time.Time { return time.Now().Add(time.Duration(in.later.Load())) }

// freshDatabase makes an empty database of the kind, and answers its URL (empty: SQLite) and a folder of its own.
func (b *bench) freshDatabase(kind string) (folder, address string, err error) {
	if folder, err = os.MkdirTemp(b.temp, "data-"); err != nil || kind == onSQLite {
		return folder, "", err
	}
	at, err := url.Parse(b.postgres)
	if err != nil {
		return "", "", err
	}
	name := "bench_" + strings.ToLower(rand.Text())
	db := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(b.postgres), pgdriver.WithReadTimeout(time.Minute)))
	_, err = db.ExecContext(b.ctx, "CREATE DATABASE "+name)
	at.Path = "/" + name
	return folder, at.String(), errors.Join(err, db.Close())
}

// open serves an installation of so many people.
func (b *bench) open(kind string, people int) (*installation, error) {
	in, err := b.made(kind, people)
	if err != nil {
		return nil, err
	}
	return in, in.listen()
}

// made is an installation of so many people that nobody serves.
func (b *bench) made(kind string, people int) (*installation, error) {
	folder, address, err := b.freshDatabase(kind)
	if err != nil {
		return nil, err
	}
	in := &installation{ctx: b.ctx, secret: []byte("twenty bytes of it !")}
	in.config = server.Config{
		Data: folder, DatabaseURL: address, Version: "bench", Brand: "MailMachine",
		PasswordCost: hashing.Passwords, BackupCodeCost: hashing.BackupCodes, TOTPWindow: 1,
		Sessions: session.Settings{
			Member:        session.Life{Idle: 30 * time.Minute, Absolute: 12 * time.Hour},
			Administrator: session.Life{Idle: 15 * time.Minute, Absolute: 8 * time.Hour},
		},
		// Info, as in production.
		Now: in.now, Random: rand.Reader, Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)), //nolint:sloglint // to format a line is part of what it costs
	}
	if in.Server, err = server.Open(b.ctx, in.config); err != nil {
		return nil, err
	}
	if err := demo.Crowd(b.ctx, in.Server, 0, people, nil); err != nil {
		return nil, err
	}
	return in, in.Database.Read().NewRaw("SELECT id FROM users ORDER BY email_key").Scan(b.ctx, &in.people)
}

// reopen opens the database again after close, without a server.
func (in *installation) reopen() (err error) {
	in.Server, err = server.Open(in.ctx, in.config)
	return err
}

// freeAddress is one of this machine that nothing listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once or not at all
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func (in *installation) listen() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once or not at all
	if err != nil {
		return err
	}
	in.address = listener.Addr().String()
	api, err := in.API(server.Face{PublicURL: &url.URL{Scheme: "http", Host: in.address}, LoopbackAliases: true})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- api.Handler().Listener(listener) }()
	in.close = func() error {
		err := api.Handler().Shutdown()
		_ = listener.Close() // where it was told to stop before it began to accept
		if ended := <-ended; !errors.Is(ended, net.ErrClosed) {
			err = errors.Join(err, ended)
		}
		return errors.Join(err, in.Close())
	}
	return nil
}

// protect turns 2-step verification on for everybody, with the same secret in each app.
func (in *installation) protect() error {
	ring, err := keyring.OpenExisting(filepath.Join(in.config.Data, "keyring.json"), "")
	if err != nil {
		return err
	}
	browser := sha256.Sum256(tokenOf("browser", 0))
	return in.each(func(ctx context.Context, tx database.Tx, n int, id string) error {
		app := "app-" + id
		sealed, err := ring.Seal(in.secret, keyring.Binding{Purpose: "totp", Column: "totp_apps.secret", User: id, Record: app})
		if err != nil {
			return err
		}
		for _, one := range []struct {
			statement *database.Statement
			args      []any
		}{
			{addApp, []any{app, id, "MailMachine: " + demo.CrowdEmail(n+1), sealed, at(tx)}},
			{turnOn, []any{at(tx), id}},
			{knowBrowser, []any{id, browser[:], at(tx), at(tx)}},
		} {
			if _, err := one.statement.Exec(ctx, tx, one.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

var (
	addApp      = database.Prepare("INSERT INTO totp_apps (id, user_id, name, label, secret, added_at) VALUES (?, ?, 'iPhone', ?, ?, ?)")
	turnOn      = database.Prepare("UPDATE users SET mfa_since = ? WHERE id = ?")
	knowBrowser = database.Prepare("INSERT INTO known_browsers (user_id, browser_id, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?)")
	addPending  = database.Prepare("INSERT INTO pending_sign_ins (id, token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)")
	addSession  = database.Prepare("INSERT INTO sessions (id, token_hash, user_id, created_at, last_seen_at, expires_at, signed_in_with, proof_at, proof_with) VALUES (?, ?, ?, ?, ?, ?, 'password,totp', ?, 'totp')")
)

func at(tx database.Tx) int64 { return tx.Now.UnixMilli() }

// each writes something for every person, in transactions of 500.
func (in *installation) each(write func(ctx context.Context, tx database.Tx, n int, id string) error) error {
	return in.some(len(in.people), write)
}

func (in *installation) some(count int, write func(ctx context.Context, tx database.Tx, n int, id string) error) error {
	const batch = 500
	for from := 0; from < count; from += batch {
		err := in.Database.Write(in.ctx, func(ctx context.Context, tx database.Tx) error {
			for n := from; n < min(from+batch, count); n++ {
				if err := write(ctx, tx, n, in.people[n%len(in.people)]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tokenOf is a token that nobody has to remember.
func tokenOf(what string, n int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, what, n))
	return sum[:]
}

func cookie(name, what string, n int) string {
	return "secondstep_" + name + "=" + base64.RawURLEncoding.EncodeToString(tokenOf(what, n))
}

// pendings opens a pending sign-in for the first so many people and answers the requests that give their codes,
// after the clock was put forward to a code that nobody has used. They are written before they are timed, and anew where a
// turn lasts longer than their code, as on a slow disk.
func (in *installation) pendings(count int) (func(n int) []byte, error) {
	return in.pendingsFrom(0, count)
}

func (in *installation) pendingsFrom(first, count int) (func(n int) []byte, error) {
	in.later.Add(int64(60 * time.Second))
	in.tokens++
	what := fmt.Sprint("pending", in.tokens, "-")
	err := in.some(count, func(ctx context.Context, tx database.Tx, n int, _ string) error {
		hash := sha256.Sum256(tokenOf(what, n))
		_, err := addPending.Exec(ctx, tx, tx.NewID(), hash[:], in.people[first+n], at(tx), at(tx)+5*60*1000)
		return err
	})
	if err != nil {
		return nil, err
	}
	write := func(n int, step int64) []byte {
		body := fmt.Sprintf(`{"code":"%s"}`, totp.Code(in.secret, step))
		return request("POST", "/api/v1/sign-in/totp", cookie("pending", what, n)+"; "+cookie("browser", "browser", 0), body)
	}
	written := totp.Step(in.now())
	requests := make([][]byte, count)
	for n := range requests {
		requests[n] = write(n, written)
	}
	return func(n int) []byte {
		if step := totp.Step(in.now()); step != written {
			return write(n, step)
		}
		return requests[n]
	}, nil
}

// sessions signs the first so many people in and answers their cookies.
func (in *installation) sessions(count int) ([]string, error) {
	in.tokens++
	what := fmt.Sprint("session", in.tokens, "-")
	cookies := make([]string, count)
	return cookies, in.some(count, func(ctx context.Context, tx database.Tx, n int, id string) error {
		hash := sha256.Sum256(tokenOf(what, n))
		cookies[n] = cookie("session", what, n) + "; " + cookie("browser", "browser", 0)
		_, err := addSession.Exec(ctx, tx, tx.NewID(), hash[:], id, at(tx), at(tx), at(tx)+12*3600*1000, at(tx))
		return err
	})
}
