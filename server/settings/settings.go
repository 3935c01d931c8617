// Package settings is what administrators set for the installation as a whole: the name that people see, the accent
// colour, what is asked of new people. It tells what was set outside, by flags, and can't be changed here.
//
// Invariants:
//   - a flag wins over what is stored: what the one who runs the program says, nobody changes over the network;
//   - each change is an event with what it was and what it became, in its transaction, and so is the note that a key is
//     kept elsewhere;
//   - a colour that people could not read is never stored, whoever asks (WCAG 2.2, 1.4.3 and 1.4.11);
//   - nothing is remembered from one request to the next: what one instance changes, the next page of every other has;
//   - no answer has a secret: not the password of the mail server or of the database, nor a key.
package settings

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/settings/accent"
	"github.com/secondstep/secondstep/server/web"
)

// DefaultBrand is the name of an installation that nobody has named.
const DefaultBrand = "MailMachine"

// Fixed is something that a flag of the program has set.
type Fixed struct {
	Name  string `json:"name" doc:"The flag, without its dashes: public-url."`
	Value string `json:"value" doc:"Never a secret."`
}

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	Keys     *keyring.Ring
	Mail     Sender
	Brand    string  // that a flag has set; empty: none has
	Fixed    []Fixed // what else flags have set
	Now      func() time.Time
	Logger   *slog.Logger
}

// Sender sends mail at once; see mail.Mail.
type Sender interface {
	Sends() bool
	Test(ctx context.Context, address string) (said string, err error)
}

var _ Sender = (*mail.Mail)(nil)

// Settings is the room.
type Settings struct {
	Dependencies

	seen atomic.Pointer[web.Look] // the last one that could be read, for a moment without the database
}

// New prepares the room. Its Mail may be set later, as long as it is before Register.
func New(dependencies Dependencies) *Settings { return &Settings{Dependencies: dependencies} }

// stored is the installation's row, as far as it is this room's.
type stored struct {
	bun.BaseModel `bun:"table:installation"`

	Brand     string `bun:"brand"`
	Accent    string `bun:"accent"`
	Checklist string `bun:"recovery_checklist"` // JSON; empty while nobody has changed it
}

func read(ctx context.Context, db bun.IDB) (*stored, error) {
	row := &stored{}
	if err := db.NewSelect().Model(row).Column("brand", "accent", "recovery_checklist").Where("id = 1").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return row, nil
}

// brand is the name that people see.
func (s *Settings) brand(row *stored) string {
	switch {
	case s.Dependencies.Brand != "":
		return s.Dependencies.Brand
	case row.Brand != "":
		return row.Brand
	}
	return DefaultBrand
}

// Look is how the installation shows itself now. Without the database it is as it was last.
func (s *Settings) Look(ctx context.Context) web.Look {
	row, err := read(ctx, s.Database.Read())
	if err != nil {
		s.Logger.WarnContext(ctx, "the look of the installation can't be read: it stays as it was", "cause", err)
		if seen := s.seen.Load(); seen != nil {
			return *seen
		}
		row = &stored{}
	}
	look := web.Look{Brand: s.brand(row), Accent: row.Accent}
	s.seen.Store(&look)
	return look
}

// Name is the name that people see.
func (s *Settings) Name(ctx context.Context) string {
	if s.Dependencies.Brand != "" {
		return s.Dependencies.Brand
	}
	return s.Look(ctx).Brand
}

// Stylesheet is that of an accent; nil for what can't be one.
func Stylesheet(colour string) []byte {
	palette, err := accent.Of(colour)
	if err != nil || palette.Light.Accent != colour || !palette.Passes() {
		return nil
	}
	return palette.Stylesheet()
}

// InstallationSettings are what administrators see of them.
type InstallationSettings struct {
	Brand      string  `json:"brand"`
	BrandFixed bool    `json:"brand_fixed" doc:"The program's flag has set it, and it can't be changed here."`
	Accent     *string `json:"accent" doc:"As #rrggbb; null: the product's own."`

	NewPeople NewPeople `json:"new_people"`
	Checklist []string  `json:"recovery_checklist" doc:"By which an administrator makes sure who asks to get back in; null: nobody has changed it, and the client has its own words."`
	Key       DataKey   `json:"key"`
	Fixed     []Fixed   `json:"fixed" nullable:"false" doc:"What the program's flags have set, and can't be changed here."`
}

// NewPeople is what is asked of people who come to the account, where nothing else is said of them.
type NewPeople struct {
	Requirement string `json:"requirement" enum:"off,allowed,required" doc:"With off, an administrator is allowed it all the same."`
	Days        int    `json:"days" minimum:"0" maximum:"365" doc:"With required: how many days there are until the deadline; 0: it holds at once."`
	Reason      string `json:"reason,omitempty" maxLength:"1200" doc:"Needed to set off, for the record."`
}

// DataKey is the key that seals secrets now.
type DataKey struct {
	ID              uint32     `json:"id"`
	KeptElsewhereAt *time.Time `json:"kept_elsewhere_at" doc:"When an administrator, or a backup with its keys, last showed that there is a copy of it; null: nobody knows of one."`
}

// view reads all of it.
func (s *Settings) view(ctx context.Context) (*InstallationSettings, error) {
	db := s.Database.Read()
	row, err := read(ctx, db)
	if err != nil {
		return nil, err
	}
	standard, err := account.ReadStandard(ctx, db)
	if err != nil {
		return nil, err
	}
	view := &InstallationSettings{
		Brand: s.brand(row), BrandFixed: s.Dependencies.Brand != "", Key: DataKey{ID: s.Keys.PrimaryID()}, Fixed: s.Fixed,
		NewPeople: NewPeople{Requirement: standard.Requirement, Days: standard.Days},
	}
	if row.Accent != "" {
		view.Accent = &row.Accent
	}
	if view.Checklist, err = row.checklist(); err != nil {
		return nil, err
	}
	if view.Fixed == nil {
		view.Fixed = []Fixed{}
	}
	kept, err := keyring.KeptElsewhere(ctx, db, view.Key.ID)
	if at := kept.Time(); !at.IsZero() {
		view.Key.KeptElsewhereAt = &at
	}
	return view, err
}
