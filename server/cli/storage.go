package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/session"
)

// storage are the settings of every command that opens an installation.
type storage struct {
	Data        string
	DatabaseURL string
	Keyring     string
	Brand       string

	PasswordMemory  memory
	PasswordTime    uint32
	PasswordThreads uint8

	// looksOnly is a command that leaves the audit log as it finds it.
	looksOnly bool
}

// bind makes them flags of a command.
func (s *storage) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	pathVar(flags, &s.Data, "data", "./data", "The `folder` of the embedded database and the key ring.")
	flags.StringVar(&s.DatabaseURL, "database-url", "", "The `URL` of a PostgreSQL database, as postgres://user:password@host/name; empty for the embedded SQLite.")
	flags.StringVar(&s.Keyring, "keyring", "", "The `text` of the key ring, instead of keyring.json in the data folder.")
	flags.Lookup("keyring").Hidden = true // other users of the machine can read an argument: it belongs in the environment
	bindBrand(flags, &s.Brand)

	s.PasswordMemory = 46 << 10
	flags.Var(&s.PasswordMemory, "password-memory", "argon2id memory of a password.")
	flags.Uint32Var(&s.PasswordTime, "password-time", 1, "argon2id `passes` of a password.")
	flags.Uint8Var(&s.PasswordThreads, "password-threads", 1, "argon2id `lanes` of a password.")
	settings(flags)
}

func bindBrand(flags *pflag.FlagSet, into *string) {
	flags.Var((*brandName)(into), "brand", "The `name` that people see, in the place of the one in Parameters → Settings.")
}

func (s *storage) passwordCost() (hashing.Params, error) {
	cost := hashing.Params{Memory: uint32(s.PasswordMemory), Time: s.PasswordTime, Threads: s.PasswordThreads}
	if err := hashing.CheckFloor(cost); err != nil {
		return cost, misusedf("--password-memory, --password-time, --password-threads: %w", err)
	}
	return cost, nil
}

// config is an installation's, for commands that serve nothing.
func (s *storage) config(p program, logger *slog.Logger) (server.Config, error) {
	cost, err := s.passwordCost()
	if err != nil {
		return server.Config{}, err
	}
	if s.DatabaseURL != "" && !strings.HasPrefix(s.DatabaseURL, "postgres://") && !strings.HasPrefix(s.DatabaseURL, "postgresql://") {
		return server.Config{}, misusedf("--database-url must begin with postgres://, or be empty for the embedded SQLite")
	}
	return server.Config{
		Data: s.Data, DatabaseURL: s.DatabaseURL, Keyring: s.Keyring, Version: p.version, Brand: s.Brand,
		PasswordCost: cost, BackupCodeCost: hashing.BackupCodes, TOTPWindow: 1, Sessions: standardLives,
		Now: time.Now, Random: rand.Reader, Logger: logger,
	}, nil
}

// makeFolder makes the data folder where there is none, for commands that may begin an installation.
func (s *storage) makeFolder() error {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return fmt.Errorf("the data folder can't be made: %w", err)
	}
	return nil
}

// with opens the installation for one command, beside a server that may be running on it, and makes one where there is
// none.
func (s *storage) with(p program, act func(*server.Server) error) error {
	return s.open(p, act, func(server.Config) error { return s.makeFolder() })
}

// existing is with for commands that have nothing to do where there is no installation: it refuses to make one, which
// whoever has named the wrong folder would take for theirs.
func (s *storage) existing(p program, act func(*server.Server) error) error {
	return s.open(p, act, func(config server.Config) error { return inUse(p, config) })
}

// inUse refuses where there is no installation.
func inUse(p program, config server.Config) error {
	used, err := database.Used(p.ctx, database.Options{URL: config.DatabaseURL, Folder: config.Data})
	switch {
	case err != nil:
		return err
	case used:
		return nil
	case config.DatabaseURL != "":
		return errors.New("there is no installation in that database: name the right one with --database-url or --config")
	}
	return fmt.Errorf("there is no installation in %s: name its folder with --data or --config", config.Data)
}

// warnings logs what a command has to say besides its result.
func (p program) warnings() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.errors, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func (s *storage) open(p program, act func(*server.Server) error, before func(server.Config) error) (err error) {
	config, err := s.config(p, p.warnings())
	if err != nil {
		return err
	}
	if err := before(config); err != nil {
		return err
	}
	installation, err := server.Open(p.ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, installation.Close()) }()
	err = act(installation)
	if !s.looksOnly {
		// What the command did is sealed as what a server does. One that runs beside it would do it too.
		if _, sealed := installation.Seals.All(context.WithoutCancel(p.ctx)); sealed != nil {
			config.Logger.Warn("the events of this command are left for a server to seal", "cause", sealed)
		}
	}
	return err
}

// standardLives are the sessions' lives of security.md.
var standardLives = session.Settings{
	Member:        session.Life{Idle: 30 * time.Minute, Absolute: 12 * time.Hour},
	Administrator: session.Life{Idle: 15 * time.Minute, Absolute: 8 * time.Hour},
}
