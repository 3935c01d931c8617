package cli

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/session"
)

// storage are the settings of every command that opens an installation.
type storage struct {
	Data        string `help:"The folder of the embedded database and the key ring." default:"./data" env:"SECONDSTEP_DATA" placeholder:"FOLDER" type:"path"`
	DatabaseURL string `help:"A PostgreSQL database, as postgres://user:password@host/name; empty for the embedded SQLite." env:"SECONDSTEP_DATABASE_URL" placeholder:"URL"`
	Keyring     string `help:"The text of the key ring, instead of keyring.json in the data folder." env:"SECONDSTEP_KEYRING" placeholder:"JSON" hidden:""`
	Brand       string `help:"The name that people see." default:"MailMachine" env:"SECONDSTEP_BRAND"`

	PasswordMemory  memory `help:"argon2id memory of a password." default:"46MiB" env:"SECONDSTEP_PASSWORD_MEMORY" placeholder:"MiB"`
	PasswordTime    uint32 `help:"argon2id passes of a password." default:"1" env:"SECONDSTEP_PASSWORD_TIME"`
	PasswordThreads uint8  `help:"argon2id lanes of a password." default:"1" env:"SECONDSTEP_PASSWORD_THREADS"`
}

// memory is an amount such as 46MiB, in KiB.
type memory uint32

// UnmarshalText reads a number of mebibytes.
func (m *memory) UnmarshalText(text []byte) error {
	number, found := strings.CutSuffix(string(text), "MiB")
	mebibytes, err := strconv.ParseUint(strings.TrimSpace(number), 10, 16)
	if !found || err != nil || mebibytes == 0 {
		return fmt.Errorf("must be a number of mebibytes, such as 46MiB")
	}
	*m = memory(mebibytes << 10)
	return nil
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
	if strings.TrimSpace(s.Brand) == "" || len(s.Brand) > 60 {
		return server.Config{}, misusedf("--brand must be a name of 1 to 60 characters")
	}
	if s.DatabaseURL != "" && !strings.HasPrefix(s.DatabaseURL, "postgres://") && !strings.HasPrefix(s.DatabaseURL, "postgresql://") {
		return server.Config{}, misusedf("--database-url must begin with postgres://, or be empty for the embedded SQLite")
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return server.Config{}, fmt.Errorf("the data folder can't be made: %w", err)
	}
	return server.Config{
		Data: s.Data, DatabaseURL: s.DatabaseURL, Keyring: s.Keyring, Version: p.version, Brand: strings.TrimSpace(s.Brand),
		PasswordCost: cost, BackupCodeCost: hashing.BackupCodes, TOTPWindow: 1, Sessions: standardLives,
		Now: time.Now, Random: rand.Reader, Logger: logger,
	}, nil
}

// standardLives are the sessions' lives of security.md.
var standardLives = session.Settings{
	Member:        session.Life{Idle: 30 * time.Minute, Absolute: 12 * time.Hour},
	Administrator: session.Life{Idle: 15 * time.Minute, Absolute: 8 * time.Hour},
}
