package keyring

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Column is a column of sealed secrets, declared by the room whose it is. Its table has
// the text columns id and user_id; an empty value is no secret.
type Column struct {
	Purpose string
	Table   string
	Name    string
}

// Of is the binding of one row's secret.
func (c Column) Of(userID, id string) Binding {
	return Binding{Purpose: c.Purpose, Column: c.String(), User: userID, Record: id}
}

// String is the column as bindings have it.
func (c Column) String() string { return c.Table + "." + c.Name }

// resealed is how many secrets are sealed anew in one transaction: few, for whoever
// writes one of these rows meanwhile waits for it.
const resealed = 100

// prefix begins what the key has sealed.
func prefix(id uint32) []byte { return binary.BigEndian.AppendUint32([]byte{1}, id) }

// Count tells how many secrets each key seals.
func Count(ctx context.Context, db bun.IDB, columns []Column) (map[uint32]int, error) {
	counted := map[uint32]int{}
	for _, column := range columns {
		var groups []struct {
			Prefix  []byte
			Secrets int
		}
		name := bun.Ident(column.Name)
		err := db.NewRaw("SELECT substr(?, 1, 5) AS prefix, count(*) AS secrets FROM ? WHERE length(?) > 0 GROUP BY 1",
			name, bun.Ident(column.Table), name).Scan(ctx, &groups)
		if err != nil {
			return nil, fmt.Errorf("count the secrets of %s: %w", column, err)
		}
		for _, group := range groups {
			if id, ok := keyOf(group.Prefix); ok {
				counted[id] += group.Secrets
			}
		}
	}
	return counted, nil
}

// Resealed is what Reseal did.
type Resealed struct {
	Done int
	// Unreadable are the rows, as "table id", whose secret does not open. They are as
	// they were.
	Unreadable []string
}

// Reseal seals with the primary whatever another key has sealed, until nothing is left.
// It can end at any time, by ctx or by a crash, and be called again. Done is told as it
// goes, of the number there was at first.
func Reseal(ctx context.Context, db *database.Database, ring *Ring, columns []Column, progress func(done, total int)) (Resealed, error) {
	var all Resealed
	total, err := left(ctx, db, ring, columns)
	if err != nil || total == 0 {
		return all, err
	}
	for {
		before := all.Done
		all.Unreadable = nil
		for _, column := range columns {
			if err := pass(ctx, db, ring, column, &all, func() { progress(min(all.Done, total), total) }); err != nil {
				return all, err
			}
		}
		// What a slow instance stored under the old key meanwhile is left for another pass.
		if n, err := left(ctx, db, ring, columns); err != nil || n == 0 || all.Done == before {
			return all, err
		}
	}
}

// left counts what another key than the primary seals.
func left(ctx context.Context, db *database.Database, ring *Ring, columns []Column) (int, error) {
	counted, err := Count(ctx, db.Read(), columns)
	n := 0
	for id, secrets := range counted {
		if id != ring.PrimaryID() {
			n += secrets
		}
	}
	return n, err
}

// sealedRow is a row as it was read.
type sealedRow struct {
	ID     string
	UserID string
	Secret []byte
}

// pass goes once through a column.
func pass(ctx context.Context, db *database.Database, ring *Ring, column Column, all *Resealed, step func()) error {
	table, name := bun.Ident(column.Table), bun.Ident(column.Name)
	for last := ""; ; {
		var rows []sealedRow
		err := db.Read().NewRaw("SELECT id, user_id, ? AS secret FROM ? WHERE id > ? AND length(?) > 0 AND substr(?, 1, 5) <> ? ORDER BY id LIMIT ?",
			name, table, last, name, name, prefix(ring.PrimaryID()), resealed).Scan(ctx, &rows)
		if err != nil {
			return fmt.Errorf("read the secrets of %s: %w", column, err)
		}
		if len(rows) == 0 {
			return nil
		}
		last = rows[len(rows)-1].ID
		var some Resealed
		err = db.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
			some, err = reseal(ctx, tx, ring, column, rows)
			return err
		})
		if err != nil {
			return err
		}
		all.Done += some.Done
		all.Unreadable = append(all.Unreadable, some.Unreadable...)
		step()
	}
}

func reseal(ctx context.Context, tx database.Tx, ring *Ring, column Column, rows []sealedRow) (Resealed, error) {
	var some Resealed
	held, err := ring.keep(ctx, tx)
	if err != nil {
		return some, err
	}
	table, name := bun.Ident(column.Table), bun.Ident(column.Name)
	for _, row := range rows {
		plain, err := ring.Open(row.Secret, column.Of(row.UserID, row.ID))
		if err != nil {
			some.Unreadable = append(some.Unreadable, column.Table+" "+row.ID)
			continue
		}
		sealed, err := held.seal(plain, column.Of(row.UserID, row.ID))
		if err != nil {
			return some, fmt.Errorf("seal a secret of %s anew: %w", column, err)
		}
		// Whoever changed or emptied it meanwhile has sealed what there is to seal.
		touched, err := database.Touched(tx.NewRaw("UPDATE ? SET ? = ? WHERE id = ? AND ? = ?", table, name, sealed, row.ID, name, row.Secret).Exec(ctx))
		if err != nil {
			return some, fmt.Errorf("store a secret of %s anew: %w", column, err)
		}
		some.Done += int(touched)
	}
	return some, nil
}
