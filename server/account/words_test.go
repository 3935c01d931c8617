package account_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Whoever was indexed before there were plain words is found by them once the upkeep has been there, a few at a time.
func TestIndexAnew(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		boss := in.SignedIn("ada@example.test", in.Protected("ada@example.test", "administrator"), servertest.Firefox)
		const people = 130
		for n := range people {
			in.AddPerson("Jos\u00e9", fmt.Sprintf("j%d@example.test", n), "member")
		}
		in.Change("DELETE FROM user_terms WHERE term = ?", []byte("jose"))
		in.Change("INSERT INTO people_to_index SELECT id FROM users WHERE email LIKE 'j%'")
		found := func(query string) int {
			total, _ := boss.Do("GET", "/api/v1/users?query="+query, nil).Want(http.StatusOK).Body["total"].(float64)
			return int(total)
		}
		for _, want := range []int{0, 100, people, people} {
			if got := found("jose"); got != want {
				t.Fatalf("%d are found, not %d", got, want)
			}
			if got := found("jos%C3%A9"); got != people {
				t.Errorf("%d are found as they are written", got)
			}
			in.Clock.Advance(time.Minute)
			if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if left := in.Column("SELECT user_id FROM people_to_index"); len(left) != 0 {
			t.Errorf("%d wait still", len(left))
		}
	})
}
