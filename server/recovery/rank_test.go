package recovery_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const puppet = "puppet@example.test"

// TestRow57NobodyIsMadeAnotherToBeLetIn: who has an administrator's password and is one themself gets in by making them a
// member no more than by resetting them.
func TestRow57NobodyIsMadeAnotherToBeLetIn(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss, other)
		w.in(other).Do("PATCH", "/api/v1/users/"+w.id(boss), body{"role": "member"}).Want(http.StatusNoContent)
		_, ticket, _ := w.proved(boss)
		in.Clock.Advance(24*time.Hour + time.Minute)
		decide(w.in(other), ticket, evidence).Refused(403, "reset_too_soon")
		if told := w.facts(other, ticket); told.Text("refusal") != "reset_too_soon" || told.Body["decidable"] != false {
			t.Errorf("%s", told.Raw)
		}
		in.Clock.Advance(6 * 24 * time.Hour)
		if given := decide(w.in(other), ticket, evidence).Want(200); given.Text("state") != "approved" {
			t.Errorf("%s", given.Raw)
		}
	})
}

// TestRow53TwoOthersAreTwo: nobody is two of the others, neither by making them nor by making them none.
func TestRow53TwoOthersAreTwo(t *testing.T) {
	t.Run("made since it was asked", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss, other)
			_, ticket, _ := w.proved(boss)
			in.Clock.Advance(time.Minute)
			w.apps[puppet] = in.Protected(puppet, "administrator")
			w.in(other).Do("PATCH", "/api/v1/users/"+w.id(mia), body{"role": "administrator"}).Want(http.StatusNoContent)
			in.Clock.Advance(24*time.Hour + time.Minute)
			for _, made := range []string{puppet, mia} {
				decide(w.in(made), ticket, evidence).Refused(409, "recovery_too_early") // one counts, alone
			}
			in.Clock.Advance(24 * time.Hour)
			for _, made := range []string{puppet, mia} {
				if given := decide(w.in(made), ticket, evidence).Want(200); given.Text("state") != "proved" || given.Body["approvals"] != 0.0 {
					t.Errorf("%s", given.Raw)
				}
			}
			if given := decide(w.in(other), ticket, evidence).Want(200); given.Text("state") != "approved" {
				t.Errorf("%s", given.Raw)
			}
		}, withMail)
	})
	t.Run("made none when it could be decided", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss, other, third)
			ticket, _ := w.ripe(boss)
			rogue := w.in(other)
			decide(rogue, ticket, evidence).Want(200)
			rogue.Do("PATCH", "/api/v1/users/"+w.id(third), body{"role": "member"}).Want(http.StatusNoContent)
			decide(rogue, ticket, evidence).Refused(409, "recovery_too_early")
			in.Clock.Advance(47 * time.Hour)
			decide(w.in(other), ticket, evidence).Refused(409, "recovery_too_early")
			in.Clock.Advance(time.Hour + time.Minute)
			if given := decide(w.in(other), ticket, evidence).Want(200); given.Text("state") != "approved" {
				t.Errorf("%s", given.Raw)
			}
		}, withMail)
	})
}

// TestRow73TheAddressOfBeforeIsTold: whoever had the mailbox until lately learns that somebody asks, and gets no link.
func TestRow73TheAddressOfBeforeIsTold(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		if err := in.First().SetEmail(t.Context(), w.id(mia), "taken@example.test"); err != nil {
			t.Fatal(err)
		}
		in.Mails()
		ask(halfway(in, "taken@example.test")).Want(200)
		told := map[string]int{}
		for _, letter := range in.Mails() {
			told[letter.To]++
			if letter.To == mia && (letter.Subject != "Somebody asks to get back into an account that had this address" || tokenOf.MatchString(letter.Text)) {
				t.Errorf("%s\n%s", letter.Subject, letter.Text)
			}
		}
		if told[mia] != 1 || told["taken@example.test"] != 2 {
			t.Errorf("%v", told)
		}
	}, withMail)
}

// TestRow53NobodySpeaksForTheSupportInTheirOwn: what stands in a ticket as the support's is another's.
func TestRow53NobodySpeaksForTheSupportInTheirOwn(t *testing.T) {
	in := servertest.OnSQLite(t, withMail)
	w := people(t, in, boss, other, third)
	held := w.in(boss)
	in.Mails()
	_, ticket, _ := w.proved(boss)
	reply := body{"lines": []string{"I have called them back."}}
	held.Do("POST", "/api/v1/tickets/"+ticket+"/reply", reply).Refused(403, "own_recovery")
	w.in(other).Do("POST", "/api/v1/tickets/"+ticket+"/reply", reply).Want(http.StatusOK)
}
