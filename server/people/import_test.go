package people_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

const importPath = usersPath + "/import"

// line is one of a file; its address is its name's.
func line(number int, name string, more ...body) body {
	made := body{"line": number, "name": name, "email": strings.ToLower(name) + "@example.test"}
	for _, facts := range more {
		for key, value := range facts {
			made[key] = value
		}
	}
	return made
}

// fates are the states of the lines of an answer, a bad one with what is wrong.
func fates(answer *servertest.Answer) []string {
	lines, _ := answer.Body["lines"].([]any)
	said := make([]string, len(lines))
	for n, one := range lines {
		facts, _ := one.(body)
		said[n] = fmt.Sprintf("%v %v", facts["line"], facts["state"])
		for _, field := range facts["fields"].([]any) {
			said[n] += fmt.Sprintf(" %v:%v", field.(body)["name"], field.(body)["code"])
		}
	}
	return said
}

// links are the tokens of the invitations of an answer.
func links(t *testing.T, answer *servertest.Answer) (tokens []string) {
	t.Helper()
	for _, one := range answer.Body["lines"].([]any) {
		if text, _ := one.(body)["invitation_link"].(string); text != "" {
			link, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, strings.TrimPrefix(link.Fragment, "token="))
		}
	}
	return tokens
}

func TestImportTellsEveryBadLineAndMakesNobodyUnlessConfirmed(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		bossID, boss := administrator(in, "boss")
		people := []body{
			line(2, "Ann"),
			line(3, "Ben", body{"role": "Administrator ", "requirement": "Required", "deadline": "2099-12-31"}),
			line(4, "", body{"email": "x"}),
			line(5, "Boss"),
			line(6, "Ann", body{"email": " ANN@example.test"}),
			line(7, "Carl", body{"role": "root", "requirement": "never", "deadline": "soon"}),
			line(8, "Dora", body{"role": "administrator", "requirement": "off"}),
			line(9, "Emil", body{"deadline": "2099-12-31T12:00:00+01:00"}),
			line(10, "Fritz", body{"requirement": "required", "deadline": "2099-12-31T12:00:00+01:00"}),
			line(11, "a\u202eb", body{"email": "g@example.test"}),
			line(12, "Hans", body{"requirement": "off"}),
			line(13, "Ida", body{"requirement": "off", "reason": "Shares a phone."}),
		}
		bad := []string{
			"4 bad name:required email:email_invalid", "5 bad email:email_taken", "6 bad email:twice_in_file",
			"7 bad role:invalid requirement:invalid deadline:invalid", "8 bad requirement:administrator_never_off",
			"9 bad deadline:without_required", "10 ok", "11 bad name:illegible", "12 bad reason:required", "13 ok",
		}
		events := in.Column("SELECT id FROM events")
		dry := boss.Do("POST", importPath, body{"people": people, "confirm": false}).Want(200)
		if got, want := fates(dry), append([]string{"2 ok", "3 ok"}, bad...); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if dry.Body["expires_at"] != nil || len(links(t, dry)) > 0 {
			t.Errorf("%s", dry.Raw)
		}
		if made := in.Column("SELECT email FROM users"); len(made) != 1 || len(in.Column("SELECT id FROM events")) != len(events) {
			t.Errorf("a dry run has made %v", made)
		}

		done := boss.Do("POST", importPath, body{"people": people, "confirm": true}).Want(200)
		bad[6], bad[9] = "10 invited", "13 invited"
		if got, want := fates(done), append([]string{"2 invited", "3 invited"}, bad...); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if made := in.Column("SELECT name || ' ' || role || ' ' || requirement || ' ' || COALESCE(deadline, 0) FROM users WHERE email <> 'boss@example.test' ORDER BY name"); !slices.Equal(made, []string{
			"Ann member allowed 0", "Ben administrator required 4102444799000", "Fritz member required 4102398000000", "Ida member off 0",
		}) {
			t.Errorf("%q", made)
		}
		// Each with an event, a link, and in the search.
		for _, name := range []string{"ann", "ben", "fritz"} {
			id := in.Column("SELECT id FROM users WHERE email_key = ?", name+"@example.test")[0]
			if actors := in.Column("SELECT actor_id FROM events WHERE subject_id = ? AND kind = 'user.invited'", id); !slices.Equal(actors, []string{bossID}) {
				t.Errorf("invited by %v", actors)
			}
			if found := boss.Do("GET", usersPath+"?query="+name, nil).Want(200); found.Body["total"] != 1.0 {
				t.Errorf("%s", found.Raw)
			}
		}
		if why := in.Column("SELECT data FROM events WHERE kind = 'user.invited' AND data LIKE '%Shares a phone.%'"); len(why) != 1 {
			t.Errorf("the reason for off is on record %d times", len(why))
		}
		tokens := links(t, done)
		if told := in.Browser(servertest.Safari).Do("POST", "/api/v1/join/invitation", body{"token": tokens[0]}).Want(200); told.Text("name") != "Ann" {
			t.Errorf("the first link is %s's", told.Text("name"))
		}
		join(in.Browser(servertest.Safari), tokens[2]).Want(200)

		// Sent again, as after an answer that never came: nobody twice, and nobody is told a link a second time.
		again := boss.Do("POST", importPath, body{"people": people, "confirm": true}).Want(200)
		if len(links(t, again)) > 0 || len(in.Column("SELECT id FROM users")) != 5 || fates(again)[0] != "2 bad email:email_taken" {
			t.Errorf("%s", again.Raw)
		}
	})
}

func TestImportIsForAdministratorsWhoAreProtected(t *testing.T) {
	in := servertest.OnSQLite(t)
	one := body{"people": []body{line(2, "Ann")}, "confirm": false}
	_, eve := member(in, "eve")
	eve.Do("POST", importPath, one).Refused(403, "not_permitted")
	in.AddPerson("Bare", "bare@example.test", "administrator")
	bare := in.Browser(servertest.Safari)
	bare.Password("bare@example.test").Want(200)
	bare.Do("POST", importPath, one).Refused(403, "own_mfa_first")
	one["confirm"] = true
	bare.Do("POST", importPath, one).Refused(403, "own_mfa_first")
	if made := in.Column("SELECT id FROM users WHERE name = 'Ann'"); len(made) > 0 {
		t.Errorf("%v", made)
	}
}

// Row 75: strictly read, at most 50 lines and 16 KiB a call, and no member that is not a line's.
func TestRow75AnImportIsReadStrictly(t *testing.T) {
	in := servertest.OnSQLite(t)
	_, boss := administrator(in, "boss")
	many := make([]body, 51)
	for n := range many {
		many[n] = line(n+2, fmt.Sprintf("Person%d", n))
	}
	for _, refused := range []struct {
		sent   any
		status int
		code   string
	}{
		{body{"people": many, "confirm": true}, 422, "invalid_input"},
		{body{"people": []body{}, "confirm": true}, 422, "invalid_input"},
		{body{"people": []body{line(0, "Ann")}, "confirm": true}, 422, "invalid_input"},
		{body{"people": []body{line(2, "A\nnn")}, "confirm": true}, 422, "invalid_input"},
		{body{"people": []body{line(2, strings.Repeat("x", 401))}, "confirm": true}, 422, "invalid_input"},
		{body{"people": many[:1]}, 422, "invalid_input"},
		{body{"people": []body{line(2, "Ann", body{"password_hash": "x"})}, "confirm": true}, 400, "unknown_field"},
		{body{"people": []body{line(2, "Ann", body{"id": "x"})}, "confirm": true}, 400, "unknown_field"},
		{body{"people": many[:1], "confirm": "yes"}, 400, "malformed_body"},
		{body{"people": []any{"x"}, "confirm": true}, 400, "malformed_body"},
		{`{"people":[{"line":2,"name":"Ann","name":"Ben","email":"a@example.test"}],"confirm":true}`, 400, "malformed_body"},
		{`{"people":[],"confirm":true,"x":"` + strings.Repeat("x", 16<<10) + `"}`, 413, "body_too_large"},
	} {
		boss.Do("POST", importPath, refused.sent).Refused(refused.status, refused.code)
	}
	if made := in.Column("SELECT id FROM users"); len(made) != 1 {
		t.Errorf("%d people", len(made))
	}
}

// Row 76: what a cell says is never a part of a statement.
func TestRow76ACellIsNoStatement(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		_, boss := administrator(in, "boss")
		hostile := `Robert'); DROP TABLE users;-- " \ ?0 $1 {{.}}`
		made := boss.Do("POST", importPath, body{"confirm": true, "people": []body{line(2, "x", body{"name": hostile, "email": "o'hara?@example.test", "role": "member' OR 1=1", "deadline": "'"}), line(3, "x", body{"name": hostile, "email": "o'hara?@example.test"})}}).Want(200)
		if got := fates(made); !slices.Equal(got, []string{"2 bad role:invalid deadline:invalid", "3 invited"}) {
			t.Errorf("%q", got)
		}
		if stored := in.Column("SELECT name FROM users WHERE email = 'o''hara?@example.test'"); !slices.Equal(stored, []string{hostile}) {
			t.Errorf("%q", stored)
		}
	})
}

// Row 80: 500 people with 7 bad lines, imported twice at the same time at two instances: everybody once, each with one
// good link, told by one of the two.
func TestRow80TwoImportsOfOneFile(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		_, boss := administrator(in, "boss")
		const all, bad, aCall = 500, 7, 50
		people := make([]body, all)
		for n := range people {
			people[n] = line(n+2, fmt.Sprintf("Person%03d", n))
			if n%71 == 3 && n/71 < bad {
				people[n]["email"] = "nobody at all"
			}
		}
		answers := make([][]*servertest.Answer, 2)
		servertest.Together(2, func(n int) {
			browser := boss.On(in.On(n))
			for from := 0; from < all; from += aCall {
				chunk := slices.Clone(people[from : from+aCall])
				if n == 1 { // the other order must not make the two wait for each other
					slices.Reverse(chunk)
				}
				answer, err := browser.Try("POST", importPath, body{"people": chunk, "confirm": true})
				if err != nil {
					t.Error(err)
					return
				}
				answers[n] = append(answers[n], answer)
			}
		})
		told, refused := 0, 0
		for _, one := range slices.Concat(answers...) {
			one.Want(200)
			told += len(links(t, one))
			refused += strings.Count(strings.Join(fates(one), "\n"), "email_invalid")
		}
		if told != all-bad || refused != 2*bad {
			t.Errorf("%d links were told and %d lines refused", told, refused)
		}
		for _, count := range []string{
			"SELECT COUNT(*) FROM users WHERE password_hash = ''", "SELECT COUNT(*) FROM invitations WHERE ended_at IS NULL",
			"SELECT COUNT(*) FROM events WHERE kind = 'user.invited'", "SELECT COUNT(DISTINCT user_id) FROM invitations",
		} {
			if got := in.Column(count); got[0] != fmt.Sprint(all-bad) {
				t.Errorf("%s: %s", count, got[0])
			}
		}
	})
}
