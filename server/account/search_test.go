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
		const many = 4600 // who have more terms that begin with p than are ever read
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
		sorted := map[string][]account.User{"name": all, "email": slices.Clone(all)}
		slices.SortFunc(sorted["name"], func(a, b account.User) int {
			return cmp.Or(slices.Compare(a.SortName, b.SortName), strings.Compare(a.ID, b.ID))
		})
		slices.SortFunc(sorted["email"], func(a, b account.User) int { return strings.Compare(a.EmailKey, b.EmailKey) })
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
			{"p12 even", "administrator", func(name string) bool { return strings.Contains(name, "p12") && strings.HasSuffix(name, "even") }},
			{"even p nobody", "", func(string) bool { return false }},
			{"pa nobody", "", func(string) bool { return false }},
			{"p nobody", "member", func(string) bool { return false }},
			{"p1234@p.test", "", func(name string) bool { return strings.Contains(name, "p1234") }},
			{"p1@p.test p pa", "", func(name string) bool { return strings.HasSuffix(name, " p1") }},
		} {
			for _, by := range []string{"name", "email"} {
				t.Run(fmt.Sprintf("%q %s by %s", one.text, one.role, by), func(t *testing.T) {
					var want, got []string
					for _, user := range sorted[by] {
						if one.has(user.Name) && (one.role == "" || user.Role == one.role) {
							want = append(want, user.ID)
						}
					}
					query := account.Query{Text: one.text, Role: one.role, Sort: by, Limit: 100}
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
		}
	})
}

// Whoever is called otherwise or has another address is found by it, and where it puts them in the list.
func TestSearchAfterAChange(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		db := in.First().Database
		ids := map[string]string{}
		for _, name := range []string{"Ada Berg", "Bea Berg", "Cleo Berg"} {
			email := strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@a.test"
			ids[name] = in.AddPerson(name, email, "member")
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx database.Tx) error {
			user, err := account.Hold(ctx, tx, ids["Ada Berg"])
			if err == nil {
				_, err = account.Rename(ctx, tx, user, "Zoe Berg")
			}
			if err == nil {
				user, err = account.Hold(ctx, tx, ids["Cleo Berg"])
			}
			if err == nil {
				err = account.SetEmail(ctx, tx, user, "a.cleo@a.test")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for by, want := range map[string]string{"name": "Bea Berg, Cleo Berg, Zoe Berg", "email": "Cleo Berg, Zoe Berg, Bea Berg"} {
			page, err := account.List(t.Context(), db.Read(), database.At(in.Clock.Now()), account.Query{Text: "berg", Sort: by, Limit: 25})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, one := range page.People {
				names = append(names, one.Name)
			}
			if got := strings.Join(names, ", "); got != want {
				t.Errorf("by %s: %s, not %s", by, got, want)
			}
		}
		if wrong := in.Column("SELECT u.name FROM user_terms AS t JOIN users AS u ON u.id = t.user_id WHERE t.sort_name <> u.sort_name OR t.email_key <> u.email_key"); len(wrong) > 0 {
			t.Errorf("the words have another place than the person: %v", wrong)
		}
	})
}

// Whatever addresses stand between the words that begin alike, each of the words is found, and whoever has it.
func TestSearchPastAddresses(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		var want []string
		for n, word := range []string{"anna", "anna0", "annab", "annaé", "annaλ", "annaz"} {
			for m, mark := range []string{"+", "-", ".", "/", "=", "^", "_", "{", "~"} {
				address := fmt.Sprintf("%s%sx%d@a.test", word, mark, n)
				if m == 0 {
					address = word + "@a.test"
				}
				want = append(want, fmt.Sprintf("P%d%d", n, m))
				in.AddPerson(want[len(want)-1], address, "member")
			}
			in.AddPerson(fmt.Sprintf("Q%d %s", n, word), fmt.Sprintf("q%d@a.test", n), "member")
		}
		found := func(text string) (people []string) {
			query := account.Query{Text: text, Sort: "name", Limit: 7}
			for {
				page, err := account.List(t.Context(), in.First().Database.Read(), database.At(in.Clock.Now()), query)
				if err != nil {
					t.Fatal(err)
				}
				for _, one := range page.People {
					people = append(people, one.Name)
				}
				if query.Cursor = page.Next; page.Next == "" {
					return people
				}
			}
		}
		if got := found("anna p"); !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		if got := found("anna"); len(got) != len(want)+6 {
			t.Errorf("%d people", len(got))
		}
		for n, word := range []string{"anna0", "annab", "annaé", "annaλ", "annaz"} {
			if got := found(word); len(got) != 10 || got[0] != fmt.Sprintf("P%d0", n+1) {
				t.Errorf("%s: %v", word, got)
			}
		}
		if got := found("annab_x2@a"); !slices.Equal(got, []string{"P26"}) {
			t.Errorf("by the beginning of an address: %v", got)
		}
	})
}
