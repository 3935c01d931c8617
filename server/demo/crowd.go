package demo

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
)

// batch is how many people one transaction adds: few enough that a sign-in beside it does not wait for long.
const batch = 500

// Crowd adds so many more people, all with Password: it is hashed once, at the installation's cost, and they share the
// hash. Their number begins after the one given, so that crowds can be added to crowds. Progress is told how many there
// are by now; nil is allowed.
func Crowd(ctx context.Context, installation *server.Server, after, count int, progress func(done, total int)) error {
	hash, err := installation.Passwords.New(ctx, Password, "", "")
	if err != nil {
		return err
	}
	for done := 0; done < count; {
		some := min(batch, count-done)
		people := make([]account.New, some)
		for n := range people {
			number := after + done + n + 1
			people[n] = account.New{
				Name: crowdName(number), Email: CrowdEmail(number), Role: account.Member, PasswordHash: hash,
			}
		}
		err := installation.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			_, err := account.CreateMany(ctx, tx, people)
			return err
		})
		if err != nil {
			return err
		}
		done += some
		if progress != nil {
			progress(done, count)
		}
	}
	return nil
}

// CrowdEmail is the address of one of a crowd.
func CrowdEmail(number int) string { return fmt.Sprintf("person%07d@example.org", number) }

var given = []string{
	"Alma", "Boris", "Cora", "Dario", "Edda", "Fabio", "Gita", "Hiro", "Ilse", "Jorge", "Kira", "Lars", "Mona", "Nils", "Olga", "Pablo",
	"Runa", "Samir", "Tilda", "Ugo", "Vera", "Willem", "Xenia", "Yusuf", "Zara",
}

var family = []string{
	"Abel", "Berg", "Chen", "Diaz", "Ekman", "Fuchs", "Gomez", "Haas", "Ito", "Jansen", "Khan", "Lopez", "Meyer", "Nowak", "Olsen",
	"Park", "Quist", "Rossi", "Silva", "Tran", "Ueda", "Vogel", "Wong", "Xu", "Young", "Zeman",
}

// crowdName makes names that sort and can be searched as real ones do: no number tells them apart but the address.
func crowdName(number int) string {
	return given[pick(len(given), "given", number)] + " " + family[pick(len(family), "family", number)]
}
