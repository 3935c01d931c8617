package account_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

// Whichever way the people of a search are found, by their words or along the list, they are the same ones, each once,
// in the same order: words that nearly all have, and more often than is counted; words of many, of a few, and of one.
func TestSearchAmongMany(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const many = 2200
		var all []account.User
		db := in.Instances[0].Database
		for from := 0; from < many; from += 200 {
			err := db.Write(t.Context(), func(ctx context.Context, tx database.Tx) error {
				people := make([]account.New, 200)
				for n := range people {
					name := fmt.Sprintf("%c Pa Pb Pc Pd p%d", 'A'+(from+n)%26, from+n)
					if (from+n)%2 == 0 {
						name += " even"
					}
					if (from+n)%700 == 0 {
						name = "Z last few " + name
					}
					people[n] = account.New{Name: name, Email: fmt.Sprintf("p%d@p.test", from+n), Role: []string{"member", "administrator"}[n%2]}
				}
				added, err := account.CreateMany(ctx, tx, people)
				all = append(all, added...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(all, func(a, b account.User) int {
			return cmp.Or(slices.Compare(a.SortName, b.SortName), strings.Compare(a.ID, b.ID))
		})
		for _, one := range []struct {
			text string
			role string
			has  func(name string) bool
		}{
			{"p", "", func(string) bool { return true }},
			{"p", "member", func(string) bool { return true }},
			{"pa", "", func(string) bool { return true }},
			{"pa p", "", func(string) bool { return true }},
			{"even", "", func(name string) bool { return strings.HasSuffix(name, "even") }},
			{"even p", "", func(name string) bool { return strings.HasSuffix(name, "even") }},
			{"pb even", "administrator", func(name string) bool { return strings.HasSuffix(name, "even") }},
			{"few", "", func(name string) bool { return strings.HasPrefix(name, "Z last few") }},
			{"p few", "", func(name string) bool { return strings.HasPrefix(name, "Z last few") }},
			{"p1234", "", func(name string) bool { return strings.Contains(name, "p1234") }},
			{"pa nobody", "", func(string) bool { return false }},
		} {
			t.Run(fmt.Sprintf("%q %s", one.text, one.role), func(t *testing.T) {
				var want, got []string
				for _, user := range all {
					if one.has(user.Name) && (one.role == "" || user.Role == one.role) {
						want = append(want, user.ID)
					}
				}
				query := account.Query{Text: one.text, Role: one.role, Sort: "name", Limit: 100}
				for {
					page, err := account.List(t.Context(), db.Read(), database.At(in.Clock.Now()), query)
					if err != nil {
						t.Fatal(err)
					}
					if page.Total != min(len(want), account.TotalCap+1) {
						t.Fatalf("%d in all, not %d", page.Total, len(want))
					}
					for _, user := range page.People {
						got = append(got, user.ID)
					}
					if query.Cursor = page.Next; page.Next == "" || len(got) > len(want) {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%d people, not the %d that there are, or in another order", len(got), len(want))
				}
			})
		}
	})
}
