package seal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
)

type leafRow struct {
	bun.BaseModel `bun:"table:seal_leaves"`

	Position int64  `bun:"position,pk"`
	EventID  string `bun:"event_id"`
	Version  int    `bun:"version"`
}

type hashRow struct {
	bun.BaseModel `bun:"table:seal_hashes"`

	Position int64  `bun:"position,pk"`
	Hash     []byte `bun:"hash"`
}

type head struct {
	bun.BaseModel `bun:"table:seal_heads"`

	Size      int64  `bun:"size,pk"`
	KeyID     uint32 `bun:"key_id,pk"`
	Signature []byte `bun:"signature"`
}

// event is a row of the events, with its columns as the database gives them.
type event struct {
	id     string
	values []any
}

// additions are the rows that seal a batch.
type additions struct {
	leaves []leafRow
	hashes []hashRow
	head   head
}

// add lets the tree grow by an event.
func (a *additions) add(t *tree, e event) error {
	hashes, err := tlog.StoredHashes(t.size, leaf(e.values), t)
	if err != nil {
		return err
	}
	first := tlog.StoredHashIndex(0, t.size)
	for n, hash := range hashes {
		t.hashes[first+int64(n)] = hash
		a.hashes = append(a.hashes, hashRow{Position: first + int64(n), Hash: hash[:]})
	}
	a.leaves = append(a.leaves, leafRow{Position: t.size, EventID: e.id, Version: version})
	t.size++
	return nil
}

// write adds the rows if none of them is there.
func (a *additions) write(ctx context.Context, tx database.Tx) error {
	if err := keep(ctx, tx, a.head); err != nil {
		return err
	}
	leaves, err := database.Touched(tx.NewInsert().Model(&a.leaves).On("CONFLICT DO NOTHING").Exec(ctx))
	if err != nil {
		return fmt.Errorf("add leaves: %w", err)
	}
	if leaves != int64(len(a.leaves)) {
		return errTurn
	}
	hashes, err := database.Touched(tx.NewInsert().Model(&a.hashes).On("CONFLICT DO NOTHING").Exec(ctx))
	if err != nil {
		return fmt.Errorf("add hashes: %w", err)
	}
	heads, err := addHead(ctx, tx, a.head)
	if err != nil {
		return err
	}
	if hashes != int64(len(a.hashes)) || heads != 1 {
		return &ErrAltered{"there are hashes or signatures of events that are not sealed"}
	}
	return nil
}

// keep keeps the key that signed from being retired before tx ends: from then on nobody could tell its signature.
func keep(ctx context.Context, tx database.Tx, h head) error {
	kept, err := keyring.KeepUse(ctx, tx, h.KeyID)
	if err == nil && !kept {
		err = fmt.Errorf("key %d signs the audit log here, but was retired: give this instance the ring of the others and start it again", h.KeyID)
	}
	return err
}

func addHead(ctx context.Context, tx database.Tx, h head) (int64, error) {
	touched, err := database.Touched(tx.NewInsert().Model(&h).On("CONFLICT DO NOTHING").Exec(ctx))
	if err != nil {
		return 0, fmt.Errorf("add a signature: %w", err)
	}
	return touched, nil
}

// readSize reads in one look how many events are sealed and how many are signed.
func readSize(ctx context.Context, db bun.IDB) (size, signed int64, err error) {
	row := db.QueryRowContext(ctx, `SELECT COALESCE((SELECT MAX(position) FROM seal_leaves), -1) + 1, COALESCE((SELECT MAX(size) FROM seal_heads), 0)`)
	if err := row.Scan(&size, &signed); err != nil {
		return 0, 0, fmt.Errorf("read the size of the log: %w", err)
	}
	return size, signed, nil
}

func readHeads(ctx context.Context, db bun.IDB, size int64) (heads []head, err error) {
	if err := db.NewSelect().Model(&heads).Where("size = ?", size).OrderExpr("key_id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the signatures of the log: %w", err)
	}
	return heads, nil
}

// readHashes puts what is stored at the indexes into the map.
func readHashes(ctx context.Context, db bun.IDB, indexes []int64, into map[int64]tlog.Hash) error {
	var rows []hashRow
	if err := db.NewSelect().Model(&rows).Where("position IN ?", bun.Tuple(indexes)).Scan(ctx); err != nil {
		return fmt.Errorf("read hashes of the log: %w", err)
	}
	for _, row := range rows {
		if len(row.Hash) == tlog.HashSize {
			into[row.Position] = tlog.Hash(row.Hash)
		}
	}
	return nil
}

// lastSealed is the id of the event at the log's end; empty where there is none.
func lastSealed(ctx context.Context, db bun.IDB) (id string, err error) {
	err = db.QueryRowContext(ctx, "SELECT event_id FROM seal_leaves ORDER BY position DESC LIMIT 1").Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read the end of the log: %w", err)
	}
	return id, nil
}

// unsealed reads the first events from an id on that are not sealed.
func unsealed(ctx context.Context, db bun.IDB, since string, limit int) (events []event, err error) {
	// The seals are bounded as well as the events, or PostgreSQL may read all of them.
	// An id that is no text sorts after every text: it is nobody's event, is never sealed, and verify names it.
	rows, err := db.QueryContext(ctx, "SELECT "+columns+` FROM events AS e WHERE e.id >= ? AND e.id < 'zzzz' AND NOT EXISTS
		(SELECT 1 FROM seal_leaves AS l WHERE l.event_id = e.id AND l.event_id >= ?) ORDER BY e.id LIMIT ?`, since, since, limit)
	if err != nil {
		return nil, fmt.Errorf("read events to seal: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		values, into := row(fields)
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("read an event to seal: %w", err)
		}
		events = append(events, event{id: asText(values[0]), values: values})
	}
	return events, rows.Err()
}

// row is room for the columns of a row, and where to scan them.
func row(n int) (values, into []any) {
	values, into = make([]any, n), make([]any, n)
	for i := range values {
		into[i] = &values[i]
	}
	return values, into
}

func asText(value any) string {
	if bytes, ok := value.([]byte); ok {
		return string(bytes)
	}
	text, _ := value.(string)
	return text
}
