package settings

import (
	"context"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/web"
)

// keep notes that an administrator has put a copy of a key elsewhere. It names the key, so that nobody vouches for one
// that took its place meanwhile.
func (s *Settings) keep(ctx context.Context, caller web.Caller, id uint32) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := mayAct(ctx, tx, caller); err != nil {
			return err
		}
		if id != s.Keys.PrimaryID() {
			return ErrOtherKey
		}
		return NoteKept(ctx, tx, audit.By(caller).About(""), id)
	})
}

// NoteKept notes that there is a copy of a key elsewhere, by whoever the event is begun with.
func NoteKept(ctx context.Context, tx database.Tx, by audit.Event, id uint32) error {
	kept, err := keyring.NoteKeptElsewhere(ctx, tx, id)
	if err != nil {
		return err
	}
	if !kept {
		return ErrOtherKey
	}
	event := by.Is(audit.KeyKeptElsewhere, audit.OK)
	event.Data = map[string]any{"key": id}
	return audit.Record(ctx, tx, event)
}
