package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/demo"
)

// act is something that must not take longer for more people.
type act struct {
	what string
	next func(n int) []byte
}

// manyPeople measures a large installation against one of 1,000, with ten events for each person.
func manyPeople(b *bench) error {
	for _, kind := range b.kinds {
		if err := manyPeopleOn(b, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func manyPeopleOn(b *bench, kind string) (err error) {
	const few = 1000
	var sizes [2]*installation
	for n, people := range []int{few, b.people} {
		in, err := b.open(kind, people)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.close()) }()
		if err := in.fill(); err != nil {
			return err
		}
		sizes[n] = in
	}
	var acts [2][]act
	for n, in := range sizes {
		if acts[n], err = in.acts(); err != nil {
			return err
		}
	}
	for n, one := range acts[0] {
		// In many short turns, so that whatever else the machine does falls upon both: of 100 requests one decides.
		connections, count := 4, 240
		if one.what == "sign-in" {
			connections, count = 1, 16
		}
		var each [2][]time.Duration
		for range 5 * b.rounds {
			for size, in := range sizes {
				got, err := crowd(in.address, connections, count, acts[size][n].next)
				if err == nil {
					err = got.refused()
				}
				if err != nil {
					return fmt.Errorf("%s: %w", one.what, err)
				}
				each[size] = append(each[size], got.each...)
			}
		}
		b.table.atMost(fmt.Sprintf("p99 of a %s, %d people and %d events against 1000, %s", one.what, b.people, 10*b.people, kind),
			percentile(each[1], 0.99), percentile(each[0], 0.99), 1.5)
	}
	return nil
}

// fill writes ten events about each person, makes the first one an administrator, and does what PostgreSQL's autovacuum
// does after a while.
func (in *installation) fill() error {
	err := in.Database.Write(in.ctx, func(ctx context.Context, tx database.Tx) error {
		ids := "'" + strings.Repeat("0", 16) + "' || substr(CAST(CAST(10000000000 AS BIGINT) + CAST(n.n AS BIGINT) * 1000000000 + u.n AS TEXT), 2)"
		if len(in.people) > 9_999_999 {
			return errors.New("more people than ids")
		}
		_, err := tx.NewRaw(`INSERT INTO events (id, at, schema, kind, result, actor_id, subject_id, method, address, browser, request_id)
			SELECT `+ids+`, ? + u.n, 1, 'sign_in.completed', 'ok', u.id, u.id, 'password', '198.51.100.7', 'Firefox on Linux', ''
			FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users) AS u,
			(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL
			SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) AS n`, at(tx)-86_400_000).Exec(ctx)
		if err != nil {
			return err
		}
		return in.mix(ctx, tx)
	})
	if err != nil || !in.Database.Postgres() {
		return err
	}
	db := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(in.config.DatabaseURL), pgdriver.WithReadTimeout(time.Minute)))
	_, err = db.ExecContext(in.ctx, "VACUUM ANALYZE") // in no transaction
	return errors.Join(err, db.Close())
}

const (
	// everySort is how many people there are some of each sort among.
	everySort = 100
	// signsIn is the first of the plain ones among them: without 2-step verification, and nothing asked of them; as are the
	// next some.
	signsIn, some = 6, 30
	// inRareState is how many people are at once in a state that does not last, in an installation of whatever size.
	inRareState = 75
)

// mix makes people of every sort, of each a full page in the small installation too, so that both are asked for as much:
// of a hundred, sixty have 2-step verification on, of whom three have two codes left; three are overdue, three are due in some
// days, three are disabled. As many in both are locked, and some thirty have begun to enrol, from 900 people on. The very first is
// the administrator.
func (in *installation) mix(ctx context.Context, tx database.Tx) error {
	const (
		day = 86_400_000
		nth = "IN (SELECT x.id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users) AS x WHERE x.n % "
		ten = `(SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6
			UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9 UNION ALL SELECT 10)`
	)
	now, rare := at(tx), max(1, len(in.people)/inRareState)
	for _, one := range []struct {
		text string
		args []any
	}{
		{"UPDATE users SET mfa_since = ? WHERE id " + nth + "? >= 40)", []any{now - 30*day, everySort}},
		{"UPDATE users SET requirement = 'required', deadline = ? WHERE id " + nth + "? IN (0, 2, 3))", []any{now - day, everySort}},
		{"UPDATE users SET requirement = 'required', deadline = ? WHERE id " + nth + "? IN (36, 37, 38))", []any{now + 5*day, everySort}},
		{"UPDATE users SET disabled_at = ? WHERE id " + nth + "? IN (4, 5, 39))", []any{now - day, everySort}},
		{"INSERT INTO second_step_tries (user_id, window_started_at, in_a_row, locked_at) SELECT id, ?, 50, ? FROM users WHERE id " + nth + "? = 10)",
			[]any{now - day, now - day, rare}},
		{"INSERT INTO totp_apps (id, user_id, name, label, secret, added_at) SELECT id, id, 'iPhone', email, ?, mfa_since FROM users WHERE mfa_since IS NOT NULL",
			[]any{[]byte("of nobody's phone")}},
		{`INSERT INTO totp_enrolments (id, user_id, session_id, name, label, secret, created_at, expires_at)
			SELECT id, id, '', 'iPhone', email, ?, ?, ? FROM users WHERE mfa_since IS NULL AND id ` + nth + "? = 11)",
			[]any{[]byte("of nobody's phone"), now, now + day, rare}},
		{"INSERT INTO backup_code_sets (id, user_id, session_id, state, created_at) SELECT id, id, '', 'active', mfa_since FROM users WHERE mfa_since IS NOT NULL", nil},
		{`INSERT INTO backup_codes (id, set_id, user_id, position, selector, hash)
			SELECT u.id || n.n, u.id, u.id, n.n, 'A' || n.n, ? FROM users AS u, ` + ten + ` AS n WHERE u.mfa_since IS NOT NULL`,
			[]any{"$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcyBvZg$dGhpcnR5LXR3byBieXRlcyBvZiBub2JvZHkncyBjb2RlLg"}},
		{"UPDATE backup_codes SET used_at = ? WHERE position <= 8 AND user_id " + nth + "? IN (40, 41, 42))", []any{now - day, everySort}},
		{"UPDATE users SET few_codes = TRUE WHERE id " + nth + "? IN (40, 41, 42))", []any{everySort}},
		{"UPDATE users SET role = 'administrator' WHERE id = ?", []any{in.people[0]}},
	} {
		if _, err := tx.NewRaw(one.text, one.args...).Exec(ctx); err != nil {
			return err
		}
	}
	return account.Recount(ctx, tx)
}

// acts are what is measured.
func (in *installation) acts() ([]act, error) {
	cookies, err := in.sessions(200)
	if err != nil {
		return nil, err
	}
	administrator := cookies[0]
	spread := func(n int) int { return (n * 7919) % len(in.people) }
	turn := 0
	return []act{
		{"sign-in", func(int) []byte {
			turn++
			return passwordOf(everySort*((turn*131)%(len(in.people)/everySort)) + signsIn + turn%some)
		}},
		{"user page", func(n int) []byte {
			return request("GET", "/api/v1/users/"+in.people[spread(n)], administrator, "")
		}},
		{"user search", func(n int) []byte {
			// What a thousand have, two words that some four thousand have each, with people who have both and without, and
			// beginnings that few and nearly all have; in turn with somebody's own.
			often := []string{"person0000", "alma", "person00001", "al%20be", "zara%20zem", "no", "alma%20boris", "a"}
			what := often[n/2%len(often)]
			if n%2 == 0 {
				what = strings.TrimSuffix(demo.CrowdEmail(1+spread(n)), "@example.org")
			}
			return request("GET", "/api/v1/users?query="+what, administrator, "")
		}},
		{"list of people", func(int) []byte { return request("GET", "/api/v1/users", administrator, "") }},
		{"list of people by protection", func(n int) []byte {
			return request("GET", "/api/v1/users?limit=25&protection="+[]string{"on", "off", "required_not_yet", "overdue", "few_codes", "locked", "disabled", "enrolling"}[n%8], administrator, "")
		}},
		{"page of the audit log", func(n int) []byte {
			narrowed := []string{"", "&result=refused", "&kind=sign_in.completed", "&kind=mfa.reset", "&address=198.51.100.7", "&person=" + in.people[spread(n)]}[n%6]
			return request("GET", "/api/v1/audit?limit=25"+narrowed, administrator, "")
		}},
		{"protection page", func(int) []byte { return request("GET", "/api/v1/protection", administrator, "") }},
		{"page of events", func(n int) []byte {
			return request("GET", "/api/v1/users/me/security/events", cookies[signsIn+n%some], "")
		}},
	}, nil
}
