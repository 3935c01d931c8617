package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/people"
)

// imports measures a file of people on its way in, as the page sends it: one call after another.
func imports(b *bench) error {
	for _, kind := range b.kinds {
		if err := importsOn(b, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func importsOn(b *bench, kind string) (err error) {
	in, err := b.open(kind, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if err := errors.Join(in.fill(), in.protect()); err != nil {
		return err
	}
	cookies, err := in.sessions(1)
	if err != nil {
		return err
	}
	r, err := b.reference(kind, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close(kind)) }()

	calls := b.people / people.LinesACall
	if kind == onPostgres { // it takes the same for each, and several times as long as on SQLite
		calls /= 10
	}
	got, err := crowd(in.address, 1, calls, func(n int) []byte {
		return request("POST", "/api/v1/users/import", cookies[0], importCall(n))
	})
	if err == nil {
		err = got.refused()
	}
	if err != nil {
		return err
	}
	var made int
	var terms []string
	if err := in.Database.Read().NewRaw("SELECT count(*) FROM invitations").Scan(b.ctx, &made); err != nil {
		return err
	}
	err = in.Database.Read().NewRaw("SELECT term FROM user_terms WHERE user_id = (SELECT id FROM users WHERE email_key = ?)", importedEmail(0)).Scan(b.ctx, &terms)
	if err != nil {
		return err
	}
	took, err := r.people(b.ctx, kind, calls, terms)
	if err != nil {
		return err
	}
	rate := float64(people.LinesACall) * float64(calls)
	b.table.atLeast(fmt.Sprintf("people imported, of %d, %s", calls*people.LinesACall, kind), rate/got.took.Seconds(), rate/took.Seconds(), 0.50,
		condition{"each once", made == calls*people.LinesACall})
	return nil
}

// number is somebody's in a file, as it stands in a name and an address.
func number(n int) string { return fmt.Sprintf("%07d", n) }

func importedEmail(n int) string { return "import" + number(n) + "@example.org" }

// importCall is a call's worth of the file.
func importCall(call int) string {
	lines := make([]map[string]any, people.LinesACall)
	for i := range lines {
		n := call*people.LinesACall + i
		lines[i] = map[string]any{"line": n + 2, "name": "Alma Berg " + number(n), "email": importedEmail(n)}
	}
	text, err := json.Marshal(map[string]any{"people": lines, "confirm": true})
	if err != nil {
		panic(err) // of texts and numbers
	}
	return string(text)
}

// The statements that write the rows of one person: what the product writes, prepared, and nothing besides.
var personRows = []string{
	"INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at) VALUES (?, ?, ?, ?, ?, 'member', '', ?, ?)",
	"INSERT INTO invitations (token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
	`INSERT INTO events (id, at, schema, kind, result, actor_id, subject_id, session_id, address, browser, request_id, data)
		VALUES (?, ?, 1, 'user.invited', 'ok', ?, ?, 's', '127.0.0.1', 'Firefox on Linux', 'r', '{"requirement":"allowed","role":"member"}')`,
	"INSERT INTO user_terms (address, term, user_id, sort_name, email_key) VALUES (?, ?, ?, ?, ?)",
}

// people writes people by plain inserts, as many in a transaction as a call makes. The terms are the first one's.
func (r *reference) people(ctx context.Context, kind string, calls int, terms []string) (time.Duration, error) {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	statements := make([]*sql.Stmt, len(personRows))
	for n, text := range personRows {
		if kind == onPostgres {
			text = numbered(text)
		}
		if statements[n], err = conn.PrepareContext(ctx, text); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	for call := range calls {
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			return 0, err
		}
		for n := call * people.LinesACall; n < (call+1)*people.LinesACall; n++ {
			if err := r.person(ctx, statements, n, terms); err != nil {
				return 0, err
			}
		}
		if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

func (r *reference) person(ctx context.Context, statements []*sql.Stmt, n int, terms []string) error {
	now := time.Now().UnixMilli()
	id, name, email := fmt.Sprintf("%013d-%010d", now, n), "Alma Berg "+number(n), importedEmail(n)
	hash := sha256.Sum256(tokenOf("invitation", n))
	for i, args := range [][]any{
		{id, name, email, email, []byte(name), now, now},
		{hash[:], id, now, now + account.InvitedFor.Milliseconds()},
		{id + "e", now, r.in.people[0], id},
	} {
		if _, err := statements[i].ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	for _, term := range terms {
		if _, err := statements[3].ExecContext(ctx, strings.Contains(term, "@"), []byte(strings.ReplaceAll(term, number(0), number(n))), id, []byte(name), email); err != nil {
			return err
		}
	}
	return nil
}
