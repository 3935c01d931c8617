package seal

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/tlog"
)

// stored is a part of the log as it is in the database.
type stored struct {
	leaves map[int64]storedLeaf
	hashes map[int64]tlog.Hash
	heads  map[int64][]head
}

// storedLeaf is an event with its seal.
type storedLeaf struct {
	id      string
	version int64
	there   bool // the event is
	values  []any
}

func (l storedLeaf) hash() tlog.Hash { return tlog.RecordHash(leaf(l.values)) }

// named is the id of the event at a position, as far as it is known.
func (s *stored) named(position int64) string {
	if leaf, known := s.leaves[position]; known {
		return leaf.id
	}
	return "unknown"
}

// readPage reads what belongs to the positions.
func readPage(ctx context.Context, db bun.IDB, from, to int64) (_ *stored, err error) {
	s := &stored{leaves: map[int64]storedLeaf{}, hashes: map[int64]tlog.Hash{}, heads: map[int64][]head{}}
	rows, err := db.QueryContext(ctx, "SELECT l.position, l.event_id, l.version, e."+strings.ReplaceAll(columns, ", ", ", e.")+
		" FROM seal_leaves AS l LEFT JOIN events AS e ON e.id = l.event_id WHERE l.position >= ? AND l.position < ?", from, to)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		values, into := row(3 + fields)
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
		position, _ := values[0].(int64)
		leaf := storedLeaf{id: asText(values[1]), there: values[3] != nil, values: values[3:]}
		leaf.version, _ = values[2].(int64)
		s.leaves[position] = leaf
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	var hashes []hashRow
	err = db.NewSelect().Model(&hashes).
		Where("position >= ? AND position < ?", tlog.StoredHashCount(from), tlog.StoredHashCount(to)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the hashes of the log: %w", err)
	}
	for _, hash := range hashes {
		if len(hash.Hash) == tlog.HashSize {
			s.hashes[hash.Position] = tlog.Hash(hash.Hash)
		}
	}
	var heads []head
	if err := db.NewSelect().Model(&heads).Where("size > ? AND size <= ?", from, to).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the signatures of the log: %w", err)
	}
	for _, head := range heads {
		s.heads[head.Size] = append(s.heads[head.Size], head)
	}
	return s, nil
}

// unsealedIDs are those of all events that are not sealed, up to more than anybody reads.
func unsealedIDs(ctx context.Context, db bun.IDB) (ids []string, err error) {
	err = db.NewSelect().TableExpr("events AS e").ColumnExpr("e.id").
		Where("NOT EXISTS (SELECT 1 FROM seal_leaves AS l WHERE l.event_id = e.id)").OrderExpr("e.id").Limit(1000).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("read which events are not sealed: %w", err)
	}
	return ids, nil
}
