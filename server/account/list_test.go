package account_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const usersPath = "/api/v1/users"

// list asks for a page; values are pairs of name and value.
func list(c *servertest.Client, pairs ...string) *servertest.Answer {
	query := url.Values{}
	for n := 0; n < len(pairs); n += 2 {
		query.Set(pairs[n], pairs[n+1])
	}
	return c.Do("GET", usersPath+"?"+query.Encode(), nil)
}

type person map[string]any

func (p person) mfa() map[string]any { return p["mfa"].(map[string]any) }

// people are the persons of a page.
func people(t *testing.T, page *servertest.Answer) []person {
	t.Helper()
	rows, ok := page.Want(http.StatusOK).Body["users"].([]any)
	if !ok {
		t.Fatalf("%s", page.Raw)
	}
	found := make([]person, len(rows))
	for n := range rows {
		found[n] = rows[n].(map[string]any)
	}
	return found
}

func names(t *testing.T, page *servertest.Answer) []string {
	t.Helper()
	var all []string
	for _, one := range people(t, page) {
		all = append(all, one["name"].(string))
	}
	return all
}

func TestListOfPeople(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator") // Ada Admin
		in.Beside()
		for _, one := range []struct{ name, email string }{
			{"Zoë Becker", "zoe.becker@example.test"}, {"bob Marley", "bob@other.test"}, {"Émile Zola", "z1@example.test"},
			{"Eva Adamsky", "eva@example.test"}, {"ÖZGÜR Yıldız", "oz@example.test"}, {"Bob Marley", "marley@example.test"},
			{"Straße 100%", "street_1@example.test"}, {"李 小龍", "bruce@example.test"},
		} {
			in.AddPerson(one.name, one.email, "member")
		}
		boss := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		byName := []string{"Ada Admin", "Bob Marley", "Bob Marley", "Eva Adamsky", "Émile Zola", "Straße 100%", "ÖZGÜR Yıldız", "Zoë Becker", "李 小龍"}

		t.Run("sorted", func(t *testing.T) {
			page := list(boss)
			sorted := names(t, page)
			for n := range sorted {
				if sorted[n] == "bob Marley" {
					sorted[n] = "Bob Marley" // the case decides nothing
				}
			}
			want := slices.Clone(byName)
			slices.Sort(sorted[5:8])
			slices.Sort(want[5:8])
			if !slices.Equal(sorted, want) || page.Body["total"] != 9.0 || page.Body["next_cursor"] != nil {
				t.Errorf("%v of %v, then %v", sorted, page.Body["total"], page.Body["next_cursor"])
			}
			var emails []string
			for _, one := range people(t, list(boss, "sort", "email")) {
				emails = append(emails, one["email"].(string))
			}
			if !slices.IsSorted(emails) || len(emails) != 9 {
				t.Errorf("%v", emails)
			}
		})
		t.Run("paged: everybody once, in the same order", func(t *testing.T) {
			for _, sort := range []string{"name", "email"} {
				var whole []any
				for _, one := range people(t, list(boss, "sort", sort)) {
					whole = append(whole, one["id"])
				}
				for _, limit := range []string{"1", "2", "4", "9"} {
					var seen []any
					for cursor := ""; ; {
						page := list(boss, "sort", sort, "limit", limit, "cursor", cursor)
						for _, one := range people(t, page) {
							seen = append(seen, one["id"])
						}
						if page.Body["total"] != 9.0 {
							t.Fatalf("total %v", page.Body["total"])
						}
						if len(seen) > len(whole) {
							t.Fatalf("by %s, %s at a time: more than everybody: %v", sort, limit, seen)
						}
						next, more := page.Body["next_cursor"].(string)
						if !more {
							break
						}
						cursor = next
					}
					if !slices.Equal(seen, whole) {
						t.Errorf("by %s, %s at a time: %v, not %v", sort, limit, seen, whole)
					}
				}
			}
		})
		t.Run("a page goes on where it was when somebody comes in between", func(t *testing.T) {
			first := list(boss, "limit", "3")
			in.AddPerson("Abel Early", "abel@early.test", "member")
			next := names(t, list(boss, "limit", "3", "cursor", first.Text("next_cursor")))
			if next[0] != "Eva Adamsky" || slices.Contains(next, "Abel Early") {
				t.Errorf("%v", next)
			}
			in.Change("DELETE FROM users WHERE email = 'abel@early.test'")
		})
		for query, want := range map[string][]string{
			"ada":              {"Ada Admin", "Eva Adamsky"},
			"ADA":              {"Ada Admin", "Eva Adamsky"},
			"ada adm":          {"Ada Admin"},
			"marl bo":          {"Bob Marley", "bob Marley"},
			"émi":              {"Émile Zola"},
			"E\u0301mi":        {"Émile Zola"},
			"emile":            {"Émile Zola"},
			"ozgur yildiz":     {"ÖZGÜR Yıldız"},
			"özgür yıl":        {"ÖZGÜR Yıldız"},
			"zoe":              {"Zoë Becker"},
			"ｅｖａ":              {"Eva Adamsky"},
			"strasse":          {"Straße 100%"},
			"100":              {"Straße 100%"},
			"李":                {"李 小龍"},
			"bob@other.test":   {"bob Marley"},
			"bob@oth":          {"bob Marley"},
			"zoe.becker@":      {"Zoë Becker"},
			"  zoe   example ": {"Zoë Becker"},
			"lola":             nil,
			"arley":            nil, // beginnings only
			"' OR 1=1 --":      nil,
			"\\":               byName,
			"":                 byName,
		} {
			t.Run(fmt.Sprintf("search %q", query), func(t *testing.T) {
				page := list(boss, "query", query)
				found := names(t, page)
				if len(want) == 9 {
					if len(found) != 9 {
						t.Errorf("%v", found)
					}
					return
				}
				slices.Sort(found)
				if !slices.Equal(found, want) || page.Body["total"] != float64(len(want)) {
					t.Errorf("%v of %v, want %v", found, page.Body["total"], want)
				}
			})
		}
		t.Run("nothing found is an empty list", func(t *testing.T) {
			if page := list(boss, "query", "nobody"); len(people(t, page)) != 0 || page.Body["next_cursor"] != nil {
				t.Errorf("%s", page.Raw)
			}
		})
		t.Run("search and filter are kept from page to page", func(t *testing.T) {
			first := list(boss, "query", "marley", "role", "member", "limit", "1")
			second := list(boss, "query", "marley", "role", "member", "limit", "1", "cursor", first.Text("next_cursor"))
			if a, b := people(t, first), people(t, second); len(a) != 1 || len(b) != 1 || a[0]["id"] == b[0]["id"] || second.Body["next_cursor"] != nil {
				t.Errorf("%s then %s", first.Raw, second.Raw)
			}
		})
		t.Run("refused", func(t *testing.T) {
			forged := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
			for _, cursor := range []string{"x", "!", forged("x"), forged("01KKGPRTX8JCFWMJRDKTP7FZY9"), forged("01KKGPRTX8JCFWMJRDKTP7FZY9\na\x00b"), forged("short\nname")} {
				list(boss, "cursor", cursor).Refused(http.StatusBadRequest, "bad_cursor")
			}
			for _, pair := range [][]string{{"limit", "0"}, {"limit", "101"}, {"limit", "-1"}, {"limit", "many"}, {"sort", "password_hash"}, {"sort", "name; DROP TABLE users"}, {"protection", "yes"}, {"role", "root"}} {
				list(boss, pair...).Refused(http.StatusUnprocessableEntity, "invalid_input")
			}
			for _, sort := range []string{"name", "email"} { // a forged place is only a place
				list(boss, "sort", sort, "cursor", forged("01KKGPRTX8JCFWMJRDKTP7FZY9\n' OR 1=1 --")).Want(http.StatusOK)
				list(boss, "sort", sort, "cursor", forged("01KKGPRTX8JCFWMJRDKTP7FZY9\n\xff\xfe")).Want(http.StatusOK)
			}
		})
		t.Run("closed to members and strangers", func(t *testing.T) {
			list(in.Browser(servertest.Firefox)).Refused(http.StatusUnauthorized, "not_signed_in")
			member := in.Browser(servertest.Firefox)
			member.Password("bob@other.test").Want(http.StatusOK)
			list(member).Refused(http.StatusForbidden, "not_permitted")
			member.Do("GET", usersPath+"/"+people(t, list(boss))[0]["id"].(string), nil).Refused(http.StatusForbidden, "not_permitted")
			member.Do("GET", usersPath+"/me", nil).Want(http.StatusOK)
		})
	})
}

func TestListTellsProtection(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		in.AddPerson("Bob", "bob@example.test", "member")
		in.AddPerson("Cleo", "cleo@example.test", "member")
		boss := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		filtered := func(protection string) []string { return names(t, list(boss, "protection", protection)) }
		expect := func(t *testing.T, on, enrolling, off []string) {
			t.Helper()
			for protection, want := range map[string][]string{"on": on, "enrolling": enrolling, "off": off} {
				if got := filtered(protection); !slices.Equal(got, want) {
					t.Errorf("%s: %v, want %v", protection, got, want)
				}
			}
		}
		row := func(email string) person {
			t.Helper()
			found := people(t, list(boss, "query", email))
			if len(found) != 1 {
				t.Fatalf("%d people are %s", len(found), email)
			}
			return found[0]
		}
		expect(t, []string{"Ada Admin"}, nil, []string{"Bob", "Cleo"})
		if mfa := row("ada@example.test").mfa(); mfa["state"] != "on" || mfa["backup_codes_remaining"] != 10.0 || mfa["since"] == nil || mfa["requirement"] != "allowed" {
			t.Errorf("%v", mfa)
		}
		if never := row("cleo@example.test"); never["last_sign_in_at"] != nil || never["disabled"] != false || never.mfa()["state"] != "off" || never.mfa()["since"] != nil {
			t.Errorf("%v", never)
		}

		bob := in.Browser(servertest.Safari)
		bob.Password("bob@example.test").Want(http.StatusOK)
		if at := row("bob@example.test")["last_sign_in_at"]; at != in.Clock.Now().Format(time.RFC3339) {
			t.Errorf("signed in last at %v", at)
		}
		bob.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
		expect(t, []string{"Ada Admin"}, []string{"Bob"}, []string{"Cleo"})
		if mfa := row("bob@example.test").mfa(); mfa["state"] != "enrolling" {
			t.Errorf("%v", mfa)
		}
		in.Clock.Advance(10 * time.Minute)
		boss.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
		t.Run("an enrolment that is over is none", func(t *testing.T) {
			expect(t, []string{"Ada Admin"}, nil, []string{"Bob", "Cleo"})
		})
		bob.Prove("").Want(http.StatusOK)
		enrolled := in.Enrol(bob)
		bob.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
		bob.Password("bob@example.test").Want(http.StatusOK)
		bob.Do("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": enrolled.Codes[4]}).Want(http.StatusOK)
		expect(t, []string{"Ada Admin", "Bob"}, nil, []string{"Cleo"})
		if mfa := row("bob@example.test").mfa(); mfa["backup_codes_remaining"] != 9.0 {
			t.Errorf("%v", mfa)
		}
		t.Run("with search, role and requirement", func(t *testing.T) {
			if got := names(t, list(boss, "protection", "on", "role", "member", "query", "example")); !slices.Equal(got, []string{"Bob"}) {
				t.Errorf("%v", got)
			}
			deadline := in.Clock.Now().Add(time.Hour)
			in.Change("UPDATE users SET requirement = 'required', deadline = ?, disabled_at = 1 WHERE email = 'cleo@example.test'", deadline.UnixMilli())
			cleo := row("cleo@example.test")
			if cleo["disabled"] != true || cleo.mfa()["requirement"] != "required" || cleo.mfa()["deadline"] != deadline.Format(time.RFC3339) {
				t.Errorf("%v", cleo)
			}
		})
	})
}
