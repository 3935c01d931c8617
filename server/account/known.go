package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Known answers for other rooms who is who.
type Known struct{ Database *database.Database }

// Names are those of the people of the account among the ids.
func (k Known) Names(ctx context.Context, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return names, nil
	}
	var people []User
	err := k.Database.Read().NewSelect().Model(&people).Column("id", "name").Where("u.id IN ?", bun.Tuple(ids)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	for n := range people {
		names[people[n].ID] = people[n].Name
	}
	return names, nil
}

// Identify makes an id of what names a person: their e-mail address, or the id itself, also of one who is gone. An
// address that is nobody's is nobody's id either.
func (k Known) Identify(ctx context.Context, person string) (string, error) {
	if !strings.Contains(person, "@") {
		return person, nil
	}
	key, err := EmailKey(person)
	if err != nil {
		return person, nil //nolint:nilerr // what is no address finds nothing
	}
	user, err := ByEmailKey(ctx, k.Database.Read(), key)
	if err != nil || user == nil {
		return person, err
	}
	return user.ID, nil
}
