package ticket_test

import (
	"slices"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Whoever reads the mailbox sees what a stranger has written in their name before they say whose it is, and throws it away.
func TestAStrangersWordsAreThrownAway(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		support := administrator(in)
		in.Protected(ada, "member")
		in.Mails()
		stranger(in).Do("POST", tickets, ask(ada, "name", "Ada", "subject", "Reset my account", "lines", []string{"Send the link to", "eve@example.test"})).Want(200)
		keys, _ := mailed(in, ada)
		if len(keys) != 1 {
			t.Fatalf("%v", keys)
		}
		owner := stranger(in)
		if read := owner.Do("POST", mine+"/read", keys[0].body()).Want(200); !slices.Equal(lines(t, read), []string{"person: Send the link to eve@example.test"}) {
			t.Errorf("%s", read.Raw)
		}
		other := keys[0]
		other.reference = "00000-00000"
		owner.Do("POST", mine+"/discard", other.body()).Refused(404, "no_ticket")
		owner.Do("POST", mine+"/discard", keys[0].body()).Want(204)
		for _, act := range []string{"/read", "/prove", "/discard"} {
			owner.Do("POST", mine+act, keys[0].body()).Refused(404, "no_ticket")
		}
		if rows := in.Column("SELECT id FROM ticket_messages"); len(rows) != 0 || len(listed(t, support, "")) != 0 {
			t.Errorf("%d messages are kept", len(rows))
		}
		if events := in.Column("SELECT id FROM events WHERE kind LIKE 'ticket.%'"); len(events) != 0 {
			t.Errorf("%d events", len(events))
		}
		// A day later there is nothing to say any more.
		stranger(in).Do("POST", tickets, ask(ada)).Want(200)
		keys, _ = mailed(in, ada)
		in.Clock.Advance(24 * time.Hour)
		owner.Do("POST", mine+"/prove", keys[0].body()).Refused(404, "no_ticket")
	}, servertest.Options{Mail: true})
}

// A proved address that an account has makes the ticket its person's: they find it when they are signed in, and the
// support sees who it is.
func TestAnAddressOfAnAccount(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		support := administrator(in)
		app := in.Protected(ada, "member")
		in.Mails()
		stranger(in).Do("POST", tickets, ask(ada, "name", "The director")).Want(200)
		keys, _ := mailed(in, ada)
		if len(keys) != 1 {
			t.Fatalf("%v", keys)
		}
		owner := in.SignedIn(ada, app, servertest.Firefox)
		owner.Do("POST", mine+"/read", body{"reference": keys[0].reference}).Refused(404, "no_ticket")
		stranger(in).Do("POST", mine+"/prove", keys[0].body()).Want(200)
		seen := listed(t, support, "")[0]
		id := in.Column("SELECT id FROM users WHERE email = ?", ada)[0]
		if seen["user_id"] != id || seen["name"] == "The director" {
			t.Errorf("%v", seen)
		}
		owner.Do("POST", mine+"/read", body{"reference": keys[0].reference}).Want(200)
		// The keys went to a mailbox that is not the person's any more.
		if err := in.First().SetEmail(t.Context(), id, "new@example.test"); err != nil {
			t.Fatal(err)
		}
		stranger(in).Do("POST", mine+"/read", keys[0].body()).Refused(404, "no_ticket")
		in.SignedIn("new@example.test", app, servertest.Firefox).Do("POST", mine+"/read", body{"reference": keys[0].reference}).Want(200)
		support.Do("DELETE", "/api/v1/users/"+id, nil).Want(204)
		if rows := in.Column("SELECT id FROM tickets"); len(rows) != 0 {
			t.Errorf("%d tickets of somebody who is removed", len(rows))
		}
	}, servertest.Options{Mail: true})
}
