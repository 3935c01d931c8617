package audit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

// search asks for a page of the audit log; pairs are names and values.
func search(c *servertest.Client, pairs ...string) *servertest.Answer {
	query := url.Values{}
	for n := 0; n < len(pairs); n += 2 {
		query.Set(pairs[n], pairs[n+1])
	}
	return c.Do("GET", "/api/v1/audit?"+query.Encode(), nil)
}

func entries(t *testing.T, page *servertest.Answer) []map[string]any {
	t.Helper()
	rows, ok := page.Want(http.StatusOK).Body["events"].([]any)
	if !ok {
		t.Fatalf("%s", page.Raw)
	}
	found := make([]map[string]any, len(rows))
	for n := range rows {
		found[n] = rows[n].(map[string]any)
	}
	return found
}

func ids(t *testing.T, page *servertest.Answer) []string {
	t.Helper()
	all := []string{}
	for _, one := range entries(t, page) {
		all = append(all, one["id"].(string))
	}
	return all
}

// record adds events that the test has made up.
func record(in *servertest.Installation, events ...audit.Event) {
	err := in.First().Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error {
		return audit.Record(ctx, tx, events...)
	})
	if err != nil {
		panic(err)
	}
}

// TestSearch is the audit log for administrators: who, what, how it ended, from where and when, each alone and together.
func TestSearch(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		boss := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		ben := in.AddPerson("Ben", "ben@example.test", "member")
		adaID := in.Column("SELECT id FROM users WHERE email = 'ada@example.test'")[0]
		const gone = "01JGGGGGGGGGGGGGGGGGGGGGGG"
		in.Clock.Advance(time.Minute)
		begun := in.Clock.Now()
		made := []audit.Event{
			{Kind: audit.SignInPassword, Result: audit.Refused, Subject: ben, Method: "password", Reason: "bad_credentials", Address: "192.0.2.1", Browser: "Firefox on Linux"},
			{Kind: audit.SignInCompleted, Result: audit.OK, Actor: ben, Subject: ben, Method: "password", Address: "192.0.2.1", Session: "01JSSSSSSSSSSSSSSSSSSSSSSS"},
			{Kind: audit.RequirementSet, Result: audit.OK, Actor: adaID, Subject: ben, Address: "2001:db8::7", Data: map[string]any{"to": "required"}},
			{Kind: audit.RequirementSet, Result: audit.Fault, Actor: adaID, Subject: gone},
			audit.FromConsole().Is(audit.KeyRotated, audit.OK),
			{Kind: audit.NameChanged, Result: audit.OK, Actor: gone, Subject: gone},
		}
		for _, one := range made {
			record(in, one)
			in.Clock.Advance(time.Minute)
		}
		all := in.Column("SELECT id FROM events WHERE id >= ? ORDER BY id", database.FirstID(begun))
		minute := func(n int) string { return begun.Add(time.Duration(n) * time.Minute).Format(time.RFC3339) }
		for _, one := range []struct {
			filters []string
			want    []int // of the events made, the newest first
		}{
			{[]string{"from", minute(0)}, []int{5, 4, 3, 2, 1, 0}},
			{[]string{"from", minute(1), "to", minute(4)}, []int{3, 2, 1}},
			{[]string{"from", begun.Add(time.Nanosecond).Format(time.RFC3339Nano)}, []int{5, 4, 3, 2, 1}},
			{[]string{"person", ben}, []int{2, 1, 0}},
			{[]string{"person", "BEN@example.test"}, []int{2, 1, 0}},
			{[]string{"person", gone}, []int{5, 3}},
			{[]string{"person", "nobody@example.test"}, nil},
			{[]string{"person", "@"}, nil},
			{[]string{"person", adaID, "from", minute(0)}, []int{3, 2}},
			{[]string{"actor", "ada@example.test", "from", minute(0)}, []int{3, 2}},
			{[]string{"actor", adaID, "person", ben}, []int{2}},
			{[]string{"kind", audit.RequirementSet}, []int{3, 2}},
			{[]string{"kind", "nothing.known"}, nil},
			{[]string{"result", "refused"}, []int{0}},
			{[]string{"result", "fault"}, []int{3}},
			{[]string{"result", "ok", "from", minute(0)}, []int{5, 4, 2, 1}},
			{[]string{"result", "ok", "kind", audit.RequirementSet}, []int{2}},
			{[]string{"result", "fault", "kind", audit.RequirementSet}, []int{3}},
			{[]string{"address", "192.0.2.1"}, []int{1, 0}},
			{[]string{"address", "2001:DB8:0::7"}, []int{2}},
			{[]string{"address", "192.0.2"}, nil},
			{[]string{"address", "192.0.2.1", "result", "refused", "person", ben, "kind", audit.SignInPassword}, []int{0}},
			{[]string{"from", "0001-01-01T00:00:00Z", "to", "1969-01-01T00:00:00Z"}, nil},
			{[]string{"from", "9999-12-31T23:59:59Z"}, nil},
		} {
			var want []string
			for _, n := range one.want {
				want = append(want, all[n])
			}
			if got := ids(t, search(boss, one.filters...)); !slices.Equal(got, want) && len(got)+len(want) > 0 {
				t.Errorf("%v: %v, want %v", one.filters, got, want)
			}
			// The same events, one a page.
			var paged []string
			for cursor := ""; ; {
				page := search(boss, append([]string{"limit", "1", "cursor", cursor}, one.filters...)...)
				paged = append(paged, ids(t, page)...)
				next, more := page.Body["next_cursor"].(string)
				if !more || len(paged) > len(want) {
					break
				}
				cursor = next
			}
			if !slices.Equal(paged, want) && len(paged)+len(want) > 0 {
				t.Errorf("%v, one a page: %v, want %v", one.filters, paged, want)
			}
		}
		t.Run("an event has all that is known of it", func(t *testing.T) {
			found := entries(t, search(boss, "kind", audit.RequirementSet, "result", "ok"))[0]
			want := map[string]any{
				"id": all[2], "at": minute(2), "schema": 1.0, "kind": "requirement.set", "result": "ok", "by": "other", "session_id": "", "method": "",
				"actor_id": adaID, "actor_name": "Ada Admin", "subject_id": ben, "subject_name": "Ben",
				"reason": "", "address": "2001:db8::7", "browser": "", "request_id": "", "data": map[string]any{"to": "required"},
			}
			if fmt.Sprint(found) != fmt.Sprint(want) {
				t.Errorf("%v\nwant %v", found, want)
			}
			last := entries(t, search(boss, "person", gone, "limit", "1"))[0]
			if last["actor_id"] != gone || last["actor_name"] != nil || last["by"] != "self" || last["data"] != nil {
				t.Errorf("%v", last)
			}
			if console := entries(t, search(boss, "kind", audit.KeyRotated))[0]; console["by"] != "console" || console["actor_id"] != "" || console["subject_id"] != "" {
				t.Errorf("%v", console)
			}
			if nobody := entries(t, search(boss, "result", "refused"))[0]; nobody["by"] != "nobody" || nobody["reason"] != "bad_credentials" {
				t.Errorf("%v", nobody)
			}
		})
		t.Run("a page goes on where it was while events come in", func(t *testing.T) {
			first := search(boss, "limit", "3", "from", minute(0))
			record(in, audit.Event{Kind: audit.AlarmRaised, Result: audit.OK, Subject: ben})
			if second := ids(t, search(boss, "limit", "3", "from", minute(0), "cursor", first.Text("next_cursor"))); !slices.Equal(second, []string{all[2], all[1], all[0]}) {
				t.Errorf("%v then %v", ids(t, first), second)
			}
		})
		t.Run("refused", func(t *testing.T) {
			for _, pair := range [][]string{{"limit", "0"}, {"limit", "101"}, {"result", "good"}, {"from", "yesterday"}, {"to", "2026-03-12"}, {"kind", strings.Repeat("x", 61)}, {"address", strings.Repeat("1", 46)}, {"cursor", strings.Repeat("0", 27)}} {
				search(boss, pair...).Refused(http.StatusUnprocessableEntity, "invalid_input")
			}
			search(boss, "sort", "kind").Refused(http.StatusBadRequest, "unknown_field")
		})
		t.Run("whatever is sent is data: row 76", func(t *testing.T) {
			before := len(in.Column("SELECT id FROM events"))
			for _, text := range []string{"'", "' OR 1=1 --", "?", "?0", "$1", "%", `\`, "';DELETE FROM events--", "ÿ", "password_hash", "@'", "a@b'c.d"} {
				for _, name := range []string{"person", "actor", "kind", "address", "cursor"} {
					answer := search(boss, name, text, "limit", "100")
					answer.Want(http.StatusOK)
					if name != "cursor" && len(entries(t, answer)) != 0 {
						t.Errorf("%s=%q finds something", name, text)
					}
				}
			}
			if after := len(in.Column("SELECT id FROM events")); after != before {
				t.Errorf("%d events, there were %d", after, before)
			}
			if log := in.First().Log.String(); strings.Contains(log, `"level":"ERROR"`) {
				t.Errorf("%s", log)
			}
		})
		t.Run("closed to members and strangers: row 56", func(t *testing.T) {
			search(in.Browser(servertest.Firefox)).Refused(http.StatusUnauthorized, "not_signed_in")
			member := in.Browser(servertest.Firefox)
			member.Password("ben@example.test").Want(http.StatusOK)
			search(member).Refused(http.StatusForbidden, "not_permitted")
			search(member, "person", ben).Refused(http.StatusForbidden, "not_permitted")
		})
	})
}

// TestSearchByIndex holds each filter to an index, on both databases, with the events of a large installation's shape.
func TestSearchByIndex(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		err := in.First().Database.Write(t.Context(), func(ctx context.Context, tx database.Tx) error {
			for n := range 400 {
				var batch []string
				for i := range 50 {
					// PostgreSQL walks over common ones in the order of time, which is as quick.
					person, kind, result := (n*50+i)%997, "common", "ok"
					if i == 7 && n%8 == 0 {
						kind, result = "rare", "refused"
					}
					batch = append(batch, fmt.Sprintf("('%s', 1, 1, '%s', '%s', 'P%d', 'P%d', '192.0.2.%d')", tx.NewID(), kind, result, person, person, person%250))
				}
				if _, err := tx.NewRaw("INSERT INTO events (id, at, schema, kind, result, actor_id, subject_id, address) VALUES " + strings.Join(batch, ",")).Exec(ctx); err != nil {
					return err
				}
			}
			_, err := tx.NewRaw("ANALYZE").Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range []struct {
			search  audit.Search
			indexes []string
		}{
			{audit.Search{Person: "P7"}, []string{"events_about", "events_by"}},
			{audit.Search{Actor: "P7"}, []string{"events_by"}},
			{audit.Search{Kind: "rare"}, []string{"events_of_kind"}},
			{audit.Search{Result: "refused"}, []string{"events_not_ok"}},
			{audit.Search{Result: "fault"}, []string{"events_not_ok"}},
			{audit.Search{Address: "192.0.2.9"}, []string{"events_from"}},
			{audit.Search{Actor: "P7", Kind: "rare", Result: "refused"}, []string{"events_by"}},
			{audit.Search{Kind: "rare", Result: "ok"}, []string{"events_of_kind"}},
			{audit.Search{Kind: "rare", Result: "refused"}, []string{"events_not_ok"}},
		} {
			queries := one.search.Queries(in.First().Database.Read(), 51)
			if len(queries) != len(one.indexes) {
				t.Fatalf("%+v: %d queries", one.search, len(queries))
			}
			for n, query := range queries {
				plan := in.Plan(query)
				// A few events in a hundred thousand may be sorted, which PostgreSQL does with a bitmap of the index.
				if !strings.Contains(plan, one.indexes[n]) || strings.Contains(plan, "Seq Scan") || !in.Postgres && strings.Contains(plan, "TEMP B-TREE") {
					t.Errorf("%+v is not read along %s:\n%s", one.search, one.indexes[n], plan)
				}
			}
		}
	})
}
