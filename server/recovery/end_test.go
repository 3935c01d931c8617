package recovery_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// begun redeems the link and enrols as far as the codes that wait to be saved, and answers the browser and the activation's path.
func (w *world) begun(email, link string) (browser *servertest.Client, phone *servertest.Phone, activate string) {
	w.t.Helper()
	browser = halfway(w.Installation, email)
	redeem(browser, link).Want(http.StatusOK)
	started := browser.Do("POST", servertest.Enrolments, body{}).Want(http.StatusCreated)
	phone = w.Scan(started.Text("secret"))
	browser.Confirm(started.Text("id"), phone.Code()).Want(http.StatusOK)
	return browser, phone, servertest.Enrolments + "/" + started.Text("id") + "/activate"
}

// at brings the person's request into a state; approved with a redeemed link and an app that waits for its codes to be saved.
func (w *world) at(state string) (recovering *servertest.Client, phone *servertest.Phone, activate string, tokens map[string]string) {
	w.t.Helper()
	switch state {
	case "asked":
		_, _, tokens = w.asked(mia)
	case "proved":
		_, _, tokens = w.proved(mia)
	default:
		var link string
		_, link, tokens = w.approved(mia, boss)
		recovering, phone, activate = w.begun(mia, link)
	}
	return recovering, phone, activate, tokens
}

// nothingLeft checks that nothing of a recovery that did not come to its end lives on, and that nothing of before is lost.
func (w *world) nothingLeft(recovering *servertest.Client, phone *servertest.Phone, activate string, tokens map[string]string) {
	w.t.Helper()
	if recovering != nil {
		recovering.Do("POST", activate, nil).Refused(401, "session_ended")
		if begun := w.Column("SELECT id FROM totp_enrolments WHERE user_id = ?", w.id(mia)); len(begun) > 0 {
			w.t.Error("the app that was begun can still be taken up")
		}
		late := halfway(w.Installation, mia)
		late.Code(phone.Code()).Want(422)
	}
	w.Browser(servertest.Safari).Do("POST", "/api/v1/stop/link", body{"token": tokens["stop"]}).Refused(410, "stop_link_expired")
	if got := w.Column("SELECT id FROM totp_apps WHERE user_id = ?", w.id(mia)); !slices.Equal(got, []string{w.apps[mia].ID}) {
		w.t.Errorf("the apps are %v", got)
	}
}

// TestATestedCodeEndsNothing: that a code is right, the troubleshooter says, and signs nobody in. Signing in with one ends the request.
func TestATestedCodeEndsNothing(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		for _, state := range []string{"asked", "proved"} {
			w.at(state)
			browser := halfway(in, mia)
			in.Clock.NextStep()
			for _, code := range []string{w.apps[mia].Code(), w.apps[mia].Codes[0]} {
				browser.Do("POST", "/api/v1/sign-in/code-check", body{"code": code}).Want(http.StatusOK)
			}
			if got := w.state(mia); got != state {
				t.Errorf("after the test: %s, was %s", got, state)
			}
			if told := browser.Do("GET", "/api/v1/sign-in", nil).Want(200).Text("recovery"); told != state {
				t.Errorf("the page is told %q", told)
			}
			in.Clock.NextStep()
			browser.Code(w.apps[mia].Code()).Want(http.StatusOK)
			if got := w.state(mia); got != "cancelled" {
				t.Errorf("signed in, and it is %s", got)
			}
			in.Clock.Advance(time.Hour)
		}
	}, withMail)
}

// TestASecondStepCancels is the decision on recovery: any old second step ends it, in whatever state, also behind a link that
// was given and an app that waits.
func TestASecondStepCancels(t *testing.T) {
	ways := map[string]func(w *world){
		"the app": func(w *world) { w.in(mia) },
		"a backup code": func(w *world) {
			halfway(w.Installation, mia).Code(w.apps[mia].Codes[0]).Want(200)
		},
		"a proof": nil, // needs a session of before
	}
	for _, state := range []string{"asked", "proved", "approved"} {
		for name, give := range ways {
			t.Run(state+", "+name, func(t *testing.T) {
				servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
					w := people(t, in, boss)
					recovering, phone, activate, tokens := w.at(state)
					give := give
					if give == nil { // of a session that was opened while nothing was asked: put there afterwards
						in.Change("UPDATE users SET recovery = '' WHERE email = ?", mia)
						browser := w.in(mia)
						in.Change("UPDATE users SET recovery = ? WHERE email = ?", state, mia)
						browser.Prove(w.apps[mia].Wrong(3)).Want(422)
						if got := w.state(mia); got != state {
							t.Fatalf("a wrong code: %s", got)
						}
						give = func(w *world) { browser.Prove(w.apps[mia].Code()).Want(200) }
					}
					in.Mails()
					give(w)
					if got := w.state(mia); got != "cancelled" {
						t.Errorf("%s", got)
					}
					if subjects, _ := letters(in); !slices.Contains(subjects[mia], "The request to get back in is over") {
						t.Errorf("mails: %v", subjects)
					}
					w.nothingLeft(recovering, phone, activate, tokens)
				}, withMail)
			})
		}
	}
}

// TestStop: one press ends it, from any session of the person's and from the mailbox, in whatever state; nothing else ends.
func TestStop(t *testing.T) {
	for _, state := range []string{"asked", "proved", "approved"} {
		t.Run(state, func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				in.Beside()
				w := people(t, in, boss)
				recovering, phone, activate, tokens := w.at(state)
				// A session that no second step has opened will do too.
				in.Change("UPDATE users SET requirement = 'off' WHERE email = ?", mia)
				browser := in.Browser(servertest.Firefox)
				browser.Password(mia).Want(200)
				in.Change("UPDATE users SET requirement = 'allowed' WHERE email = ?", mia)
				w.in(boss).Do("POST", "/api/v1/users/"+w.id(mia)+"/security/recovery/stop", nil).Refused(403, "not_permitted")
				in.Mails()
				browser.Do("POST", own+"/stop", nil).Want(204)
				if got := w.state(mia); got != "stopped" {
					t.Errorf("%s", got)
				}
				if subjects, _ := letters(in); !slices.Equal(subjects[mia], []string{"The request to get back in was stopped"}) {
					t.Errorf("mails: %v", subjects)
				}
				w.nothingLeft(recovering, phone, activate, tokens)
				browser.Do("POST", own+"/stop", nil).Refused(404, "no_recovery")
				browser.Do("GET", "/api/v1/session", nil).Want(200)
			}, withMail)
		})
		t.Run(state+", by mail", func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				in.Beside()
				w := people(t, in, boss)
				recovering, phone, activate, tokens := w.at(state)
				anybody := in.Browser(servertest.Firefox)
				for range 2 { // looking changes nothing (row 74)
					if look := anybody.Do("POST", "/api/v1/stop/link", body{"token": tokens["stop"]}).Want(200); look.Text("kind") != "recovery" || look.Text("email") != mia {
						t.Errorf("%s", look.Raw)
					}
				}
				if got := w.state(mia); got != state {
					t.Fatalf("%s", got)
				}
				if done := anybody.Do("POST", "/api/v1/stop", body{"token": tokens["stop"]}).Want(200); done.Text("kind") != "recovery" {
					t.Errorf("%s", done.Raw)
				}
				if got := w.state(mia); got != "stopped" {
					t.Errorf("%s", got)
				}
				anybody.Do("POST", "/api/v1/stop", body{"token": tokens["stop"]}).Refused(410, "stop_link_expired")
				w.nothingLeft(recovering, phone, activate, tokens)
			}, withMail)
		})
	}
}

// TestWhatSupersedesIt: whatever else becomes of the account ends a request, in whatever state (rows 34 and 50).
func TestWhatSupersedesIt(t *testing.T) {
	acts := map[string]func(w *world, signedIn *servertest.Client){
		"reset": func(w *world, _ *servertest.Client) {
			w.in(boss).Do("POST", "/api/v1/users/"+w.id(mia)+"/security/reset",
				body{"password": servertest.Password, "code": w.apps[boss].Code(), "reason": "Came to the office."}).Want(200)
		},
		"reset on the console": func(w *world, _ *servertest.Client) {
			if _, _, err := w.First().ResetMFA(w.t.Context(), w.id(mia)); err != nil {
				w.t.Fatal(err)
			}
		},
		"email_changed": func(w *world, _ *servertest.Client) {
			if err := w.First().SetEmail(w.t.Context(), w.id(mia), "new@example.test"); err != nil {
				w.t.Fatal(err)
			}
		},
		"account_disabled": func(w *world, _ *servertest.Client) {
			w.in(boss).Do("PATCH", "/api/v1/users/"+w.id(mia), body{"disabled": true}).Want(204)
		},
		"role_changed": func(w *world, _ *servertest.Client) {
			w.in(boss).Do("PATCH", "/api/v1/users/"+w.id(mia), body{"role": "administrator"}).Want(204)
		},
		"requirement_off": func(w *world, _ *servertest.Client) {
			w.in(boss).Do("PUT", "/api/v1/users/"+w.id(mia)+"/security/requirement", body{"requirement": "off", "reason": "Shares a phone."}).Want(204)
		},
		"mfa_turned_off": func(w *world, signedIn *servertest.Client) {
			signedIn.Do("POST", servertest.Security+"/disable", body{"password": servertest.Password}).Want(200)
		},
		"not_me": func(w *world, signedIn *servertest.Client) {
			signedIn.Do("POST", servertest.Security+"/not-me", body{}).Want(200)
		},
	}
	for why, act := range acts {
		t.Run(why, func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				w := people(t, in, boss)
				id := w.id(mia)
				_, link, _ := w.approved(mia, boss)
				recovering, _, activate := w.begun(mia, link)
				in.Change("UPDATE users SET recovery = '' WHERE email = ?", mia) // so that signing in cancels nothing
				signedIn := w.in(mia)
				in.Change("UPDATE users SET recovery = 'approved' WHERE email = ?", mia)
				act(w, signedIn)
				reason := map[string]string{"reset on the console": "reset"}[why]
				if reason == "" {
					reason = why
				}
				got := in.Column("SELECT r.state || ' ' || u.recovery || ' ' || (SELECT COALESCE(reason, '') FROM events WHERE kind = 'recovery.cancelled') FROM recoveries r JOIN users u ON u.id = r.user_id WHERE u.id = ?", id)
				if len(got) != 1 || got[0] != "cancelled  "+reason {
					t.Errorf("%q", got)
				}
				recovering.Do("POST", activate, nil).Refused(401, "session_ended")
				if late := in.Browser(servertest.Safari); late.Password(mia).Status == http.StatusOK && late.Cookie("secondstep_pending") != "" {
					redeem(late, link).Refused(410, "enrolment_link_expired")
				}
			}, withMail)
		})
	}
	t.Run("removal", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss)
			ticket, _ := w.ripe(mia)
			administrator := w.in(boss)
			administrator.Do("DELETE", "/api/v1/users/"+w.id(mia), nil).Want(204)
			decide(administrator, ticket, evidence).Refused(404, "no_recovery")
			if left := in.Column("SELECT ticket_id FROM recoveries UNION ALL SELECT id FROM tickets UNION ALL SELECT ticket_id FROM ticket_messages"); len(left) > 0 {
				t.Errorf("%v", left)
			}
		}, withMail)
	})
}

// TestRestoreEndsIt: what was open when the backup was made is over, whatever became of it since.
func TestRestoreEndsIt(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		_, link, tokens := w.approved(mia, boss)
		back := in.Restored(in.Backup())
		restored := &world{Installation: back, t: t, apps: w.apps}
		if got := restored.state(mia); got != "cancelled" {
			t.Errorf("%s", got)
		}
		if got := restored.events(mia, "recovery.cancelled"); len(got) != 1 || got[0] != "restored " {
			t.Errorf("%v", got)
		}
		redeem(halfway(back, mia), link).Refused(410, "enrolment_link_expired")
		back.Browser(servertest.Firefox).Do("POST", "/api/v1/stop", body{"token": tokens["stop"]}).Refused(410, "stop_link_expired")
		in.Clock.Advance(24 * time.Hour)
		ask(halfway(back, mia)).Want(200)
	}, withMail)
}
