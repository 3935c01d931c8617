// Package mail tells people by e-mail what happened to the security of their account.
//
// Invariants:
//   - a mail is a row of the table outbox, written in the transaction of what it tells of, and only where serve sends
//     mail (security.md row 74): neither exists without the other, and writing it waits for no mail server;
//   - it goes to the address that was on record then (row 73), at the most so often (row 47), at least once: an instance
//     claims a row, sends it, and marks it; what a crash leaves behind is sent again, with the same Message-ID;
//   - links are made from the configured public URL (row 55); a notice's asks for signing in, and one that is good for
//     something by itself waits sealed, and is forgotten once the mail is over;
//   - what people chose, their name above all, is escaped in HTML and can begin no header;
//   - neither a log nor an event has an address, and no mail has a secret.
//
// Which events people are told of is the audit room's knowledge; words are in words/, one file a language.
package mail

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
)

// Settings say how mails leave an installation.
type Settings struct {
	Server    *Server
	From      *mail.Address
	PublicURL *url.URL // what links are made from
	Language  string   // of the words: the name of a file in words/
}

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	Keys     *keyring.Ring
	Settings *Settings // nil: the installation sends no mail
	Brand    func(context.Context) string
	// CodesLeft counts a person's backup codes that are good; few: so few that new ones are urged.
	CodesLeft func(ctx context.Context, userID string) (left int, few bool, err error)
	// Message reads what an administrator wrote for the people of a roll-out, as paragraphs.
	Message func(ctx context.Context, rollOut string) ([]string, error)
	// GaveUp puts on record that a person could not be told of something.
	GaveUp func(ctx context.Context, tx database.Tx, userID string, kind Kind) error
	// Prepare queues what was asked for and is not written yet, before each look for mail; nil: nothing ever is.
	Prepare func(ctx context.Context) error
	Now     func() time.Time
	Logger  *slog.Logger
}

// Mail is the room.
type Mail struct {
	Dependencies

	words *words
}

// New opens the room. It fails where there are no words in the language of the settings.
func New(d Dependencies) (*Mail, error) {
	m := &Mail{Dependencies: d}
	if d.Settings == nil {
		return m, nil
	}
	var err error
	if m.words, err = read(d.Settings.Language); err != nil {
		return nil, err
	}
	return m, nil
}

// Announce notes whether mails leave the installation, so that every process on it, commands too, queues them or not.
func (m *Mail) Announce(ctx context.Context) error {
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		mails := m.Settings != nil
		_, err := tx.NewRaw("UPDATE installation SET mails = ? WHERE id = 1 AND mails <> ?", mails, mails).Exec(ctx)
		if err != nil {
			return fmt.Errorf("note whether mail is sent: %w", err)
		}
		return nil
	})
}
