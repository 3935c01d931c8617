package account_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

// Each filter gives whom it says, and what a row tells agrees with it.
func TestListByState(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		now := in.Clock.Now()
		codes := in.Protected("codes@example.test", "member")
		paper := codes.Codes
		for _, name := range []string{"asked", "late", "atonce", "closed", "locked", "plain", "invited"} {
			in.AddPerson(name, name+"@example.test", "member")
		}
		set := func(name, columns string, args ...any) {
			in.Change("UPDATE users SET "+columns+" WHERE email = ?", append(args, name+"@example.test")...)
		}
		set("codes", "name = 'codes'")
		set("ada", "name = 'ada', requirement = 'required'") // and has it on
		set("asked", "requirement = 'required', deadline = ?", now.Add(time.Hour).UnixMilli())
		set("late", "requirement = 'required', deadline = ?", now.Add(-time.Hour).UnixMilli())
		set("atonce", "requirement = 'required'")
		set("closed", "requirement = 'required', disabled_at = 1")
		set("invited", "password_hash = ''")
		in.Change("INSERT INTO second_step_tries (user_id, window_started_at, locked_at) SELECT id, 0, 1 FROM users WHERE email = 'locked@example.test'")
		boss := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		// All but four are used, then all but three, then all.
		use := func(count int) {
			t.Helper()
			for _, code := range paper[:count] {
				browser := in.Browser(servertest.Firefox)
				browser.Password("codes@example.test").Want(http.StatusOK)
				browser.Code(code).Want(http.StatusOK)
			}
			paper = paper[count:]
		}
		expect := func(protection string, want ...string) {
			t.Helper()
			for _, sort := range []string{"name", "email"} {
				page := list(boss, "protection", protection, "sort", sort)
				found := names(t, page)
				slices.Sort(found)
				slices.Sort(want)
				if !slices.Equal(found, want) || page.Body["total"] != float64(len(want)) {
					t.Errorf("%s by %s: %v of %v, want %v", protection, sort, found, page.Body["total"], want)
				}
			}
			if len(want) > 0 {
				if found := names(t, list(boss, "protection", protection, "query", want[0], "role", "member")); !slices.Equal(found, want[:1]) {
					t.Errorf("%s with a search: %v", protection, found)
				}
			}
		}
		use(6)
		expect("few_codes")
		use(1)
		expect("few_codes", "codes")
		use(3)
		expect("few_codes", "codes")
		in.Clock.NextStep()
		renewing, path := in.SignedIn("codes@example.test", codes, servertest.Firefox), servertest.Security+"/backup-codes"
		renewing.Do("POST", path, map[string]string{"password": servertest.Password}).Want(http.StatusOK)
		expect("few_codes", "codes") // until they are saved
		renewing.Do("POST", path+"/activate", nil).Want(http.StatusOK)
		expect("few_codes")
		expect("required_not_yet", "asked", "late", "atonce")
		expect("overdue", "late", "atonce")
		expect("locked", "locked")
		expect("disabled", "closed")
		expect("invited", "invited")
		for _, one := range people(t, list(boss)) {
			name := one["name"].(string)
			told := map[string]any{"invited": one["invited"], "closed": one["disabled"], "locked": one.mfa()["locked"]}
			for which, said := range told {
				if said != (name == which) {
					t.Errorf("%s: %s is %v", name, which, said)
				}
			}
			if overdue := slices.Contains([]string{"late", "atonce", "closed"}, name); one.mfa()["overdue"] != overdue {
				t.Errorf("%s: overdue %v", name, one.mfa()["overdue"])
			}
		}
		list(boss, "protection", "ON").Refused(http.StatusUnprocessableEntity, "invalid_input")
	})
}

// Few are in each of these states among many: what finds them reads an index of theirs and not everybody.
func TestFiltersReadAnIndex(t *testing.T) {
	in := servertest.OnSQLite(t)
	for protection, want := range map[account.Protection]string{
		account.ProtectionRequiredNotYet: "users_asked_by_name",
		account.ProtectionOverdue:        "users_", // by name or by deadline
		account.ProtectionEnrolling:      "totp_enrolments_by_expiry",
		account.ProtectionFewCodes:       "users_few_codes_by_name",
		account.ProtectionLocked:         "second_step_tries_locked",
		account.ProtectionDisabled:       "users_disabled_by_name",
		account.ProtectionInvited:        "users_invited_by_name",
	} {
		query := account.Filtered(in.First().Database.Read(), database.At(in.Clock.Now()), account.Query{Protection: protection}).
			ColumnExpr("u.id").OrderExpr("u.sort_name, u.id").Limit(26).String()
		rows, err := in.First().Database.Read().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
		if err != nil {
			t.Fatal(err)
		}
		var plan strings.Builder
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&plan, detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
		t.Logf("%s:\n%s", protection, plan.String())
		if !strings.Contains(plan.String(), want) {
			t.Errorf("%s does not read %s:\n%s", protection, want, plan.String())
		}
	}
}

// Page by page everybody in a state that another table tells is met once, in order, each page with how many they are, also
// where somebody has left it in between.
func TestPagesOfAStateThatFewAreIn(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		boss := in.SignedIn("ada@example.test", in.Protected("ada@example.test", "administrator"), servertest.Firefox)
		for _, name := range []string{"Emil", "cleo", "Ben", "Dora", "Cleo"} {
			id := in.AddPerson(name, fmt.Sprintf("%x@example.test", name), "member")
			in.Change("INSERT INTO second_step_tries (user_id, window_started_at, locked_at) VALUES (?, 0, 1)", id)
		}
		for _, sort := range []string{"name", "email"} {
			whole := names(t, list(boss, "protection", "locked", "sort", sort))
			var met []string
			cursor, more := "", true
			for range 5 {
				page := list(boss, "protection", "locked", "sort", sort, "limit", "2", "cursor", cursor)
				met = append(met, names(t, page)...)
				if page.Body["total"] != 5.0 {
					t.Errorf("by %s: %v in all", sort, page.Body["total"])
				}
				if cursor, more = page.Body["next_cursor"].(string); !more {
					break
				}
			}
			if more || len(whole) != 5 || !slices.Equal(met, whole) {
				t.Errorf("by %s: %v, page by page %v", sort, whole, met)
			}
		}
		first := list(boss, "protection", "locked", "limit", "2")
		in.Change("UPDATE second_step_tries SET locked_at = NULL WHERE user_id = (SELECT id FROM users WHERE name = ?)", names(t, first)[1])
		if page := list(boss, "protection", "locked", "limit", "2", "cursor", first.Text("next_cursor")); len(names(t, page)) != 2 || page.Body["total"] != 4.0 {
			t.Errorf("%s", page.Raw)
		}
	})
}
