package audit_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/servertest"
)

// TestExportOverHTTP: all that fits, over many pages, in either form, and who took it is on record (row 71).
func TestExportOverHTTP(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		ben := in.AddPerson("Ben", "ben@example.test", "member")
		in.Change("UPDATE users SET name = '=HYPERLINK(\"https://evil.example\")' WHERE id = ?", ben)
		const many = 1234
		events := make([]audit.Event, many)
		for n := range events {
			events[n] = audit.Event{Kind: audit.AlarmRaised, Result: audit.OK, Actor: ben, Subject: ben, Address: "192.0.2.7", Browser: "@SUM(1)", Data: map[string]any{"n": n}}
		}
		record(in, events...)
		boss := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		export := func(query string) *servertest.Answer {
			t.Helper()
			return boss.Do("GET", "/api/v1/audit/export?"+query, nil).Want(http.StatusOK)
		}

		lines := export("kind=alarm.raised&person=ben@example.test")
		if kind, total := lines.Header.Get("Content-Type"), lines.Header.Get("Secondstep-Events"); kind != "application/x-ndjson" || total != fmt.Sprint(many) {
			t.Errorf("%s, %s events", kind, total)
		}
		last, found := "", 0
		for each := json.NewDecoder(bytes.NewReader(lines.Raw)); each.More(); found++ {
			var entry audit.Entry
			if err := each.Decode(&entry); err != nil {
				t.Fatal(err)
			}
			if entry.Kind != audit.AlarmRaised || entry.SubjectID != ben || last != "" && entry.ID >= last {
				t.Fatalf("%+v after %s", entry, last)
			}
			last = entry.ID
		}
		if found != many || bytes.Count(lines.Raw, []byte("\n")) != many {
			t.Errorf("%d events, %d lines", found, bytes.Count(lines.Raw, []byte("\n")))
		}

		rows, err := csv.NewReader(bytes.NewReader(export("format=csv&kind=alarm.raised").Raw)).ReadAll()
		if err != nil || len(rows) != many+1 {
			t.Fatalf("%d rows: %v", len(rows), err)
		}
		if rows[0][0] != "id" || rows[1][7] != `'=HYPERLINK("https://evil.example")` || rows[1][14] != "'@SUM(1)" {
			t.Errorf("%q\n%q", rows[0], rows[1])
		}

		if none := export("kind=nothing"); len(none.Raw) != 0 || none.Header.Get("Secondstep-Events") != "0" {
			t.Errorf("nothing is %s", none.Raw)
		}
		if header := export("format=csv&kind=nothing"); bytes.Count(header.Raw, []byte("\n")) != 1 {
			t.Errorf("nothing is %s", header.Raw)
		}
		told := in.Column("SELECT data FROM events WHERE kind = 'audit.exported' AND actor_id <> ? ORDER BY id", ben)
		if strings.Join(told, " ") != `{"format":"jsonl"} {"format":"csv"} {"format":"jsonl"} {"format":"csv"}` {
			t.Errorf("on record: %v", told)
		}

		for query, code := range map[string]string{"format=xml": "invalid_input", "limit=1": "unknown_field", "result=good": "invalid_input"} {
			if answer := boss.Do("GET", "/api/v1/audit/export?"+query, nil); answer.Body["code"] != code {
				t.Errorf("%s: %s", query, answer.Raw)
			}
		}
		in.Clock.Advance(11 * time.Minute)
		boss.Do("GET", "/api/v1/audit/export", nil).Refused(http.StatusForbidden, "fresh_proof_required")
		member := in.Browser(servertest.Safari)
		member.Password("ben@example.test").Want(http.StatusOK)
		member.Do("GET", "/api/v1/audit/export", nil).Refused(http.StatusForbidden, "not_permitted")
		if again := in.Column("SELECT id FROM events WHERE kind = 'audit.exported'"); len(again) != len(told) {
			t.Errorf("refused, and on record %d", len(again))
		}
	})
}
