package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
)

// Letter is a mail with a link that is good for something, to an address that need not be on record yet.
type Letter struct {
	UserID string // whom it is about; empty where there is nobody yet
	To     string
	Name   string
	Kind   Kind
	Facts  Facts
	Path   string    // of the link, behind the public URL, its token in the fragment
	Until  time.Time // when it opens nothing any more
}

// linkColumn is where links wait, sealed: whoever reads the database or a backup has none of them (security.md row 61).
var linkColumn = keyring.Column{Purpose: "mail", Table: "outbox", Name: "link"}

// SealedColumns are what this room keeps sealed, for whoever changes the key.
func SealedColumns() []keyring.Column { return []keyring.Column{linkColumn} }

// Sends reports whether mail leaves the installation. Where it does not, whoever has a link to give shows it instead.
func (m *Mail) Sends() bool { return m.Settings != nil }

// Leaves reports whether mail leaves, where serve has said so: a command on the console sends none itself.
func Leaves(ctx context.Context, db bun.IDB) (bool, error) {
	found, err := db.NewSelect().TableExpr("installation").Where("id = 1 AND mails").Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look whether mail leaves: %w", err)
	}
	return found, nil
}

// pressing are the mails of an account being taken, or kept: those that stop it, those that tell of it, and the links by
// which its owner gets back in. However many mails of other kinds an address has had, it gets these: else whoever does it would
// cause those first.
var pressing = map[Kind]bool{
	EmailChanged: true, Reset: true, EmailConfirmed: true, TurnedOff: true, AppAdded: true, AppReplaced: true, AppRemoved: true,
	KeyAdded: true, KeyRemoved: true, CodesChanged: true, PasswordChanged: true, PasswordChosen: true, PasswordSet: true, PasswordLink: true,
	RecoveryProof: true, RecoveryAsked: true, RecoveryTold: true, RecoveryApproved: true, RecoveryStopped: true, RecoveryCancelled: true, RecoveryDone: true,
}

// mostFor is how many mails in all an address may have had for one of this kind to be sent.
func mostFor(kind Kind) int {
	if pressing[kind] {
		return math.MaxInt32
	}
	return mostInAll
}

// Send lets a letter be sent once the transaction is committed. False: no mail leaves, or the address has had too many
// within the hour.
func (m *Mail) Send(ctx context.Context, tx database.Tx, letter Letter) (queued bool, err error) {
	leaves, err := Leaves(ctx, tx)
	if err != nil || !leaves {
		return false, err
	}
	had, err := recent(ctx, tx, letter.To, letter.Kind)
	if err != nil || had {
		return false, err
	}
	facts, err := json.Marshal(letter.Facts)
	if err != nil {
		return false, fmt.Errorf("queue mail %s: %w", letter.Kind, err)
	}
	now := database.At(tx.Now)
	added := &row{
		ID: tx.NewID(), UserID: letter.UserID, Address: letter.To, Name: letter.Name, Kind: letter.Kind, Facts: string(facts),
		Times: 1, At: now, CreatedAt: now, DueAt: now, NextAt: now, GoodUntil: database.At(letter.Until),
	}
	if added.Link, err = m.Keys.SealIn(ctx, tx, []byte(letter.Path), linkColumn.Of(added.UserID, added.ID)); err != nil {
		return false, fmt.Errorf("seal the link of mail %s: %w", letter.Kind, err)
	}
	if _, err := tx.NewInsert().Model(added).Exec(ctx); err != nil {
		return false, fmt.Errorf("queue mail %s: %w", letter.Kind, err)
	}
	return true, nil
}

// Full reports whether an address has had as many mails of this kind as it may, where mails leave at all.
func (m *Mail) Full(ctx context.Context, tx database.Tx, address string, kind Kind) (bool, error) {
	if !m.Sends() {
		return false, nil
	}
	return recent(ctx, tx, address, kind)
}

// recent reports whether the address has had as many mails as it may within an hour.
func recent(ctx context.Context, tx database.Tx, address string, kind Kind) (bool, error) {
	var had struct{ InAll, OfKind int }
	err := tx.NewSelect().Model((*row)(nil)).
		ColumnExpr("count(*) AS in_all").ColumnExpr("count(CASE WHEN kind = ? THEN 1 END) AS of_kind", kind).
		Where("address = ? AND created_at > ?", address, database.At(tx.Now.Add(-within))).Scan(ctx, &had)
	if err != nil {
		return false, fmt.Errorf("count the mails of an address: %w", err)
	}
	return had.InAll >= mostFor(kind) || had.OfKind >= mostOfKind, nil
}

// path opens the link of a mail; empty where it has none.
func (m *Mail) path(of *row) (string, error) {
	if len(of.Link) == 0 {
		return "", nil
	}
	path, err := m.Keys.Open(of.Link, linkColumn.Of(of.UserID, of.ID))
	if err != nil {
		return "", fmt.Errorf("open the link of a mail: %w", err)
	}
	return string(path), nil
}
