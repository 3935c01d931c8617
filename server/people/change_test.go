package people_test

import (
	"slices"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Demotion, closing and removal work on the very next request, and end what is half open too (security.md rows 34, 56).
func TestRow56TheNextRequestIsRefused(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		bossID, boss := administrator(in, "boss")
		app := in.Protected("second@example.test", "administrator")
		secondID := in.Column("SELECT id FROM users WHERE email = 'second@example.test'")[0]
		second := in.SignedIn("second@example.test", app, servertest.Firefox)
		pending := in.Browser(servertest.Safari)
		pending.Password("second@example.test").Want(200)

		second.Do("GET", usersPath, nil).Want(200)
		boss.Do("PATCH", path(secondID), body{"role": "member"}).Want(204)
		second.Do("GET", usersPath, nil).Refused(401, "session_ended")
		pending.Code(app.Code()).Diagnosed("sign_in_expired")
		second = in.SignedIn("second@example.test", app, servertest.Firefox)
		second.Do("GET", usersPath, nil).Refused(403, "not_permitted")
		boss.Do("PATCH", path(secondID), body{"role": "member"}).Want(204) // which they are
		second.Do("GET", usersPath+"/me", nil).Want(200)

		boss.Do("PATCH", path(secondID), body{"role": "administrator"}).Want(204)
		second.Do("GET", usersPath, nil).Refused(401, "session_ended") // a new id at the rise (row 31)
		second = in.SignedIn("second@example.test", app, servertest.Firefox)
		second.Do("GET", usersPath, nil).Want(200)
		pending.Password("second@example.test").Want(200)
		boss.Do("PATCH", path(secondID), body{"disabled": true}).Want(204)
		second.Do("GET", usersPath+"/me", nil).Refused(401, "session_ended")
		pending.Code(app.Code()).Diagnosed("sign_in_expired")
		in.Browser(servertest.Safari).Password("second@example.test").Refused(403, "account_disabled")
		boss.Do("PATCH", path(secondID), body{"disabled": true}).Want(204) // which they are
		boss.Do("PATCH", path(secondID), body{"disabled": false}).Want(204)
		second = in.SignedIn("second@example.test", app, servertest.Firefox)

		boss.Do("PATCH", path(secondID), body{"name": " Sec Ond "}).Want(204)
		if said := boss.Do("GET", path(secondID), nil).Want(200).Body["user"].(map[string]any); said["name"] != "Sec Ond" {
			t.Errorf("%v", said)
		}
		if found := boss.Do("GET", usersPath+"?query=ond", nil).Want(200).Body["total"]; found != 1.0 {
			t.Errorf("%v are found by the new name", found)
		}
		boss.Do("DELETE", path(secondID), nil).Want(204)
		second.Do("GET", usersPath+"/me", nil).Refused(401, "session_ended")
		in.Browser(servertest.Safari).Password("second@example.test").Refused(401, "bad_credentials")
		boss.Do("GET", path(secondID), nil).Refused(404, "no_user")
		boss.Do("DELETE", path(secondID), nil).Refused(404, "no_user")
		boss.Do("PATCH", path(secondID), body{"role": "member"}).Refused(404, "no_user")
		for _, table := range []string{"totp_apps", "backup_codes", "backup_code_sets", "sessions", "user_terms"} {
			if left := in.Column("SELECT user_id FROM "+table+" WHERE user_id = ?", secondID); len(left) > 0 {
				t.Errorf("%d rows are left in %s", len(left), table)
			}
		}
		wantEvents(t, in, secondID, // they outlive the person
			`role.changed {"from":"administrator","to":"member"}`, `role.changed {"from":"member","to":"administrator"}`,
			"user.disabled", "user.enabled", "name.changed", `user.removed {"role":"administrator"}`)
		if actors := in.Column("SELECT DISTINCT actor_id FROM events WHERE subject_id = ? AND kind IN ('role.changed', 'user.removed', 'name.changed')", secondID); len(actors) != 1 || actors[0] != bossID {
			t.Errorf("done by %v", actors)
		}
		why := in.Column("SELECT reason FROM events WHERE subject_id = ? AND kind = 'session.ended' AND actor_id = ? ORDER BY reason", secondID, bossID)
		if !slices.Equal(why, []string{"account_disabled", "role_changed", "role_changed", "user_removed"}) {
			t.Errorf("sessions ended because of %v", why)
		}
	})
}

// Whoever becomes an administrator is not forbidden 2-step verification any more (security.md, requirement).
func TestAPromotedPersonIsNeverOff(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		_, boss := administrator(in, "boss")
		app := in.Protected("mira@example.test", "member")
		id := in.Column("SELECT id FROM users WHERE email = 'mira@example.test'")[0]
		boss.Do("PUT", path(id)+"/security/requirement", body{"requirement": "off", "reason": "Shares a phone."}).Want(204)
		mira := in.Browser(servertest.Safari)
		mira.Password("mira@example.test").Want(200) // without a second step
		boss.Do("PATCH", path(id), body{"role": "administrator"}).Want(204)
		mira.Do("GET", usersPath+"/me", nil).Refused(401, "session_ended")
		if state := mira.Password("mira@example.test").Want(200).Text("state"); state != "second_step" {
			t.Errorf("%s", state)
		}
		mira.Code(app.Code()).Want(200)
		mira.Do("GET", usersPath, nil).Want(200)
		wantEvents(t, in, id, `requirement.set {"from":"allowed","to":"off","why":"Shares a phone."}`,
			`role.changed {"from":"member","to":"administrator"}`, `requirement.set {"from":"off","to":"allowed"}`)
	})
}

// Who may do it to whom (security.md rows 56, 57, 59).
func TestWhoMayChangeWhom(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		bossID, boss := administrator(in, "boss")
		in.AddPerson("Other", "other@example.test", "administrator")
		eveID, eve := member(in, "eve")
		bobID, _ := member(in, "bob")
		acts := func(id string) map[string]func(*servertest.Client) *servertest.Answer {
			return map[string]func(*servertest.Client) *servertest.Answer{
				"name": func(c *servertest.Client) *servertest.Answer { return c.Do("PATCH", path(id), body{"name": "Mallory"}) },
				"role": func(c *servertest.Client) *servertest.Answer {
					return c.Do("PATCH", path(id), body{"role": "administrator"})
				},
				"disabled":   func(c *servertest.Client) *servertest.Answer { return c.Do("PATCH", path(id), body{"disabled": true}) },
				"removal":    func(c *servertest.Client) *servertest.Answer { return c.Do("DELETE", path(id), nil) },
				"invitation": func(c *servertest.Client) *servertest.Answer { return c.Do("POST", path(id)+"/invitation", nil) },
				"withdrawal": func(c *servertest.Client) *servertest.Answer { return c.Do("DELETE", path(id)+"/invitation", nil) },
				"inviting": func(c *servertest.Client) *servertest.Answer {
					return c.Do("POST", usersPath, body{"name": "Mallory", "email": "mallory@example.test", "role": "administrator"})
				},
			}
		}
		refused := func(who string, c *servertest.Client, id string, status int, code string) {
			t.Helper()
			for what, act := range acts(id) {
				if answer := act(c); answer.Status != status || answer.Body["code"] != code {
					t.Errorf("%s of %s by %s: %d %s", what, id, who, answer.Status, answer.Raw)
				}
			}
		}
		refused("a member", eve, bobID, 403, "not_permitted")
		refused("a stranger", in.Browser(servertest.Firefox), bobID, 401, "not_signed_in")
		for _, id := range []string{"me", eveID} {
			eve.Do("PATCH", path(id), body{"role": "administrator"}).Refused(403, "not_permitted")
			eve.Do("PATCH", path(id), body{"disabled": false}).Refused(403, "not_permitted")
			eve.Do("DELETE", path(id), nil).Refused(403, "not_permitted")
		}

		// Nobody does it to themself, and all of it is done or nothing.
		for _, id := range []string{"me", bossID} {
			boss.Do("PATCH", path(id), body{"role": "member"}).Refused(409, "own_role")
			boss.Do("PATCH", path(id), body{"disabled": true}).Refused(409, "own_account")
			boss.Do("DELETE", path(id), nil).Refused(409, "own_account")
			boss.Do("PATCH", path(id), body{"name": "Boss", "role": "member"}).Refused(409, "own_role")
		}
		boss.Do("PATCH", path(bobID), body{"name": "", "role": "administrator"}).Refused(422, "invalid_input")
		boss.Do("PATCH", path(bobID), body{"role": "root"}).Refused(422, "invalid_input")
		boss.Do("PATCH", path(bobID), body{}).Want(204)

		// Not by an administrator without 2-step verification, nor without fresh proof, nor by a backup code.
		in.AddPerson("Bare", "bare@example.test", "administrator")
		bare := in.Browser(servertest.Firefox)
		bare.Password("bare@example.test").Want(200)
		refused("an administrator without", bare, bobID, 403, "own_mfa_first")
		app := in.Protected("third@example.test", "administrator")
		third := in.Browser(servertest.Firefox)
		third.Password("third@example.test").Want(200)
		third.Code(app.Codes[0]).Want(200)
		refused("a backup code", third, bobID, 403, "app_code_required")
		third.Do("PATCH", usersPath+"/me", body{"name": "Third"}).Want(204) // their own name is theirs
		in.Clock.Advance(10 * time.Minute)
		refused("a proof of before", boss, bobID, 403, "fresh_proof_required")
		boss.Do("PATCH", usersPath+"/me", body{"name": "Boss"}).Want(204)

		if said := in.Column("SELECT name || role FROM users WHERE id IN (?, ?) AND disabled_at IS NULL ORDER BY id", eveID, bobID); len(said) != 2 || said[0] != "Evemember" || said[1] != "Evemember" {
			t.Errorf("%v", said)
		}
		wantEvents(t, in, bobID)
	})
}

func TestRow59TheLastAdministratorStays(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		bossID, boss := administrator(in, "boss")
		// Whoever is disabled or has only been invited can't act, so they don't count.
		otherID := in.AddPerson("Other", "other@example.test", "administrator")
		boss.Do("PATCH", path(otherID), body{"disabled": true}).Want(204)
		invitedID, _ := invite(t, boss, "nia", body{"role": "administrator"})
		for _, id := range []string{"me", bossID} {
			boss.Do("PATCH", path(id), body{"role": "member"}).Refused(409, "last_administrator")
			boss.Do("PATCH", path(id), body{"disabled": true}).Refused(409, "last_administrator")
			boss.Do("DELETE", path(id), nil).Refused(409, "last_administrator")
		}
		boss.Do("PATCH", path(otherID), body{"disabled": false}).Want(204)
		boss.Do("DELETE", path("me"), nil).Refused(409, "own_account") // no longer the last, and still their own
		boss.Do("PATCH", path(otherID), body{"role": "member"}).Want(204)
		boss.Do("DELETE", path(otherID), nil).Want(204)
		boss.Do("DELETE", path(invitedID), nil).Want(204)
		boss.Do("GET", usersPath, nil).Want(200)
	})
}

// Two administrators take each other's rights at once, at two instances: exactly one remains (rows 59 and 80).
func TestRow59TwoAtOnceLeaveOne(t *testing.T) {
	for what, act := range map[string]func(c *servertest.Client, id string) (*servertest.Answer, error){
		"demote": func(c *servertest.Client, id string) (*servertest.Answer, error) {
			return c.Try("PATCH", path(id), body{"role": "member"})
		},
		"disable": func(c *servertest.Client, id string) (*servertest.Answer, error) {
			return c.Try("PATCH", path(id), body{"disabled": true})
		},
		"remove": func(c *servertest.Client, id string) (*servertest.Answer, error) {
			return c.Try("DELETE", path(id), nil)
		},
	} {
		t.Run(what, func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				in.Beside()
				for round := range 4 {
					in.Change("UPDATE users SET role = 'member'")
					ids, browsers := [2]string{}, [2]*servertest.Client{}
					for n := range 2 {
						ids[n], browsers[n] = administrator(in, what+string(rune('a'+2*round+n)))
					}
					// Both hold before either may go on: what they find is decided by the database, not by who is quicker.
					release := in.Open("UPDATE installation SET id = id WHERE id = 1")
					answers := make([]*servertest.Answer, 2)
					done := make(chan struct{})
					go func() {
						defer close(done)
						servertest.Together(2, func(n int) {
							answer, err := act(browsers[n].On(in.On(n)), ids[1-n])
							if err != nil {
								t.Error(err)
								return
							}
							answers[n] = answer
						})
					}()
					in.Blocked(2)
					release()
					<-done
					if t.Failed() {
						return
					}
					in.Only(204, answers)
					if left := in.Column("SELECT id FROM users WHERE role = 'administrator' AND disabled_at IS NULL"); len(left) != 1 {
						t.Fatalf("%d administrators are left: %s and %s", len(left), answers[0].Raw, answers[1].Raw)
					}
				}
			})
		})
	}
}
