package webauthn_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestASecurityKeyFromBeginningToEnd(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		enrolled := in.Protected(ada, "member")
		in.Beside()
		browser := in.SignedIn(ada, enrolled, servertest.Firefox)
		other, waiting := in.SignedIn(ada, enrolled, servertest.Safari), pending(in, ada)
		before := browser.Cookie(servertest.SessionCookie)
		key := newDevice(t)

		id, options := began(t, browser)
		if asked := options.PublicKey; asked.RP.ID != "id.example.test" || asked.RP.Name != "MailMachine" || asked.User.Name != ada ||
			asked.Timeout != 300_000 || asked.Selection.UserVerification != "preferred" || len(asked.Exclude) != 0 {
			t.Errorf("%+v", asked)
		}
		added := browser.Do("POST", keysPath+"/"+id, body{"name": " Blue key ", "credential": key.create(options)}).Want(http.StatusCreated)
		if added.Text("kind") != "webauthn" || added.Text("name") != "Blue key" || added.Body["last_used_at"] != nil {
			t.Errorf("%s", added.Raw)
		}
		t.Run("row 34: it ends what is open elsewhere and gives this session a new token", func(t *testing.T) {
			if browser.Cookie(servertest.SessionCookie) == before {
				t.Error("the token stayed")
			}
			in.Holding(servertest.SessionCookie, before).Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "session_ended")
			other.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "session_ended")
			waiting.Code(enrolled.Code()).Diagnosed("sign_in_expired")
		})
		t.Run("it is on the page and in the events", func(t *testing.T) {
			page := browser.Do("GET", servertest.Security, nil).Want(http.StatusOK)
			if !strings.Contains(string(page.Raw), `"kind":"webauthn","name":"Blue key"`) {
				t.Errorf("%s", page.Raw)
			}
			if kinds := in.Column("SELECT method FROM events WHERE kind = 'factor.added' AND result = 'ok'"); len(kinds) != 1 || kinds[0] != "webauthn" {
				t.Errorf("%v", kinds)
			}
		})
		t.Run("signing in asks for the app first", func(t *testing.T) {
			browser := in.Browser(servertest.Firefox)
			step := browser.Password(ada).Want(http.StatusOK)
			if methods := strings.Join(step.Texts("methods"), " "); methods != "totp webauthn backup_code" {
				t.Error(methods)
			}
			options := signInOptions(t, browser)
			if asked := options.PublicKey; len(asked.AllowCredentials) != 1 || asked.AllowCredentials[0].ID != b64(key.id) || asked.RPID != "id.example.test" {
				t.Errorf("%+v", asked)
			}
			done := giveIn(browser, key.get(options)).Want(http.StatusOK)
			if done.Text("state") != "signed_in" || done.Text("method") != "webauthn" {
				t.Errorf("%s", done.Raw)
			}
			session := browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			if strings.Join(session.Texts("signed_in_with"), " ") != "password webauthn" || session.Text("fresh_with") != "webauthn" {
				t.Errorf("%s", session.Raw)
			}
			rows(t, in, "webauthn_challenges", 0)
		})
		t.Run("fresh proof by it opens what needs one", func(t *testing.T) {
			in.Clock.Advance(11 * time.Minute)
			browser.Do("POST", keysPath, nil).Refused(http.StatusForbidden, "fresh_proof_required")
			before := browser.Cookie(servertest.SessionCookie)
			proved := prove(browser, key.get(proofOptions(t, browser))).Want(http.StatusOK)
			if proved.Text("method") != "webauthn" || browser.Cookie(servertest.SessionCookie) == before {
				t.Errorf("%s", proved.Raw)
			}
			browser.Do("POST", keysPath, nil).Want(http.StatusCreated)
		})
		t.Run("it takes its password first, and then one proof, not two", func(t *testing.T) {
			options := proofOptions(t, browser)
			browser.Do("POST", "/api/v1/session/proof", body{"password": "not the password", "credential": key.get(options)}).
				Refused(http.StatusUnprocessableEntity, "wrong_password")
			browser.Do("POST", "/api/v1/session/proof", body{"password": servertest.Password, "code": "123456", "credential": key.get(options)}).
				Refused(http.StatusUnprocessableEntity, "invalid_input")
			prove(browser, key.get(options)).Want(http.StatusOK)
		})
		t.Run("it is renamed and removed, and then proves nothing", func(t *testing.T) {
			path := servertest.Security + "/factors/" + added.Text("id")
			browser.Do("PATCH", path, body{"name": "Red key"}).Want(http.StatusNoContent)
			signed := pending(in, ada)
			options := signInOptions(t, signed)
			begunHere := proofOptions(t, browser)
			browser.Do("DELETE", path, nil).Want(http.StatusNoContent)
			giveIn(signed, key.get(options)).Diagnosed("sign_in_expired")
			prove(browser, key.get(begunHere)).Diagnosed("security_key_unknown")
			pending(in, ada).Do("POST", "/api/v1/sign-in/webauthn/options", nil).Refused(http.StatusConflict, "no_security_key")
			if methods := pending(in, ada).Do("GET", "/api/v1/sign-in", nil).Texts("methods"); len(methods) != 2 {
				t.Error(methods)
			}
		})
	}, withKeys)
}

func TestTurning2StepVerificationOffForgetsSecurityKeys(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		h := hold(t, in, ada, "member")
		browser := h.signIn(t, in)
		signInOptions(t, pending(in, ada))
		browser.Do("POST", servertest.Security+"/disable", body{"password": servertest.Password}).Want(http.StatusOK)
		rows(t, in, "webauthn_keys", 0)
		rows(t, in, "webauthn_challenges", 0)
		browser.Do("POST", keysPath, nil).Refused(http.StatusConflict, "mfa_off")
	}, withKeys)
}

// Whoever was in the account may have begun to add one.
func TestANewPasswordEndsASecurityKeyThatIsBegun(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		browser := hold(t, in, ada, "member").signIn(t, in)
		id, options := began(t, browser)
		browser.Do("POST", servertest.Security+"/password", body{"password": servertest.Password, "new_password": "nine green cups of tea"}).Want(http.StatusOK)
		browser.Do("POST", keysPath+"/"+id, body{"name": "", "credential": newDevice(t).create(options)}).
			Refused(http.StatusUnprocessableEntity, "challenge_expired")
	}, withKeys)
}

func TestAResetRefusesSecurityKeys(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		h := hold(t, in, ada, "member")
		waiting := pending(in, ada)
		options := signInOptions(t, waiting)
		// Behind the server's back, so that what was begun is still there: the mark alone is enough.
		in.Change("UPDATE users SET reset_at = 1 WHERE email = ?", ada)
		giveIn(waiting, h.get(options)).Refused(http.StatusForbidden, "enrolment_link_required")
		waiting.Do("POST", "/api/v1/sign-in/webauthn/options", nil).Refused(http.StatusConflict, "no_security_key")
		if used := in.Column("SELECT id FROM webauthn_keys WHERE last_used_at IS NOT NULL"); len(used) != 0 {
			t.Error("it was accepted")
		}
	}, withKeys)
}

func TestASecurityKeyLiftsTheLockOfCodes(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		h := hold(t, in, ada, "member")
		lock := func(how string) {
			pending(in, ada).Code(h.Wrong(0)) // there is a row
			in.Change("UPDATE second_step_tries SET failures = 50, in_a_row = 50, " + how)
		}
		forever := in.Clock.Now().Add(time.Hour).UnixMilli()
		for name, how := range map[string]string{
			"a lock":  "locked_at = 1",
			"a delay": "delay_ms = 3600000, blocked_until = " + number(forever),
		} {
			t.Run(name, func(t *testing.T) {
				lock(how)
				browser := pending(in, ada)
				browser.Code(h.Code()).Diagnosed("too_many_attempts")

				why := giveIn(browser, h.device.but(func(d *device) { d.rpID = "example.test" }).get(signInOptions(t, browser))).Diagnosed("security_key_refused")
				if _, told := why["attempts_left"]; told {
					t.Errorf("%v", why)
				}
				browser.Code(h.Code()).Diagnosed("too_many_attempts")

				giveIn(browser, h.get(signInOptions(t, browser))).Want(http.StatusOK)
				codes := pending(in, ada)
				codes.Code(h.Code()).Want(http.StatusOK)
				in.Clock.NextStep()
			})
		}
		t.Run("one that is used up is no way past its five", func(t *testing.T) {
			in.Change("DELETE FROM second_step_tries")
			browser := pending(in, ada)
			for n := range 5 {
				wrong := h.device.but(func(d *device) { d.rpID = "example.test" }).get(signInOptions(t, browser))
				if why := giveIn(browser, wrong).Diagnosed("security_key_refused"); why["attempts_left"] != float64(4-n) {
					t.Errorf("%d: %v", n, why)
				}
			}
			if why := giveIn(browser, h.get(signInOptions(t, browser))).Diagnosed("too_many_attempts"); why["start_again"] != true {
				t.Errorf("%v", why)
			}
			if counted := in.Column("SELECT CAST(failures AS TEXT) FROM second_step_tries"); counted[0] != "5" {
				t.Errorf("%v are counted", counted)
			}
		})
	}, withKeys)
}

func TestWhereSecurityKeysAreOff(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		enrolled := in.Protected(ada, "member")
		browser := in.SignedIn(ada, enrolled, servertest.Firefox)
		browser.Do("POST", keysPath, nil).Refused(http.StatusConflict, "security_keys_off")
		browser.Do("POST", keysPath+"/x", body{"name": "", "credential": body{}}).Refused(http.StatusConflict, "security_keys_off")
		browser.Do("POST", "/api/v1/session/proof/options", nil).Refused(http.StatusConflict, "security_keys_off")
		prove(browser, body{}).Refused(http.StatusConflict, "security_keys_off")
		waiting := pending(in, ada)
		waiting.Do("POST", "/api/v1/sign-in/webauthn/options", nil).Refused(http.StatusConflict, "security_keys_off")
		giveIn(waiting, body{}).Refused(http.StatusConflict, "security_keys_off")
		waiting.Code(enrolled.Code()).Want(http.StatusOK)
	})
}

// A key that was added while security keys were on opens nothing while they are off, and is deleted with the rest.
func TestSecurityKeysTurnedOff(t *testing.T) {
	in := servertest.OnSQLite(t)
	enrolled := in.Protected(ada, "member")
	user := in.Column("SELECT id FROM users")[0]
	in.Change(`INSERT INTO webauthn_keys (id, user_id, name, credential_id, record, sign_count, user_verified, backup_eligible, backup_state, aaguid, added_at)
		VALUES ('k', ?, '', 'c', '{}', 0, TRUE, FALSE, FALSE, 'a', 1)`, user)
	if methods := pending(in, ada).Do("GET", "/api/v1/sign-in", nil).Texts("methods"); strings.Join(methods, " ") != "totp backup_code" {
		t.Error(methods)
	}
	in.SignedIn(ada, enrolled, servertest.Firefox).
		Do("POST", servertest.Security+"/disable", body{"password": servertest.Password}).Want(http.StatusOK)
	rows(t, in, "webauthn_keys", 0)
}
