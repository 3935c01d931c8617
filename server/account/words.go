package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/uptrace/bun"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/secondstep/secondstep/server/database"
)

// term is one word by which a person is found, together with the keys that they are sorted by.
type term struct {
	bun.BaseModel `bun:"table:user_terms"`

	Address  bool   `bun:"address"` // a whole one
	Term     []byte `bun:"term"`
	UserID   string `bun:"user_id"`
	SortName []byte `bun:"sort_name"`
	EmailKey string `bun:"email_key"`
}

// terms adds a person's to a list: their words, and these as one types them who lacks the keys for their accents.
func terms(list []term, user *User) []term {
	found := words(user.Name + " " + user.Email)
	for _, word := range found {
		if bare := plain(word); !slices.Contains(found, bare) {
			found = append(found, bare)
		}
	}
	for _, word := range found {
		list = append(list, term{Address: whole(word), Term: []byte(word), UserID: user.ID, SortName: user.SortName, EmailKey: user.EmailKey})
	}
	return list
}

// ownLetters are those that Unicode does not take apart into a letter and its mark, as one types them.
var ownLetters = strings.NewReplacer("ø", "o", "ł", "l", "ı", "i", "đ", "d", "ð", "d", "ħ", "h", "æ", "ae", "œ", "oe", "þ", "th")

// plain is a folded word without accents and other marks (Unicode category Mn).
func plain(word string) string {
	if !strings.ContainsFunc(word, func(r rune) bool { return r > unicode.MaxASCII }) {
		return word
	}
	bare, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), word)
	if err != nil {
		return word // as it is, it is a word too
	}
	return ownLetters.Replace(bare)
}

// words splits a text into what is looked for: runs of letters and digits, and whole addresses.
func words(text string) []string {
	seen := map[string]bool{}
	var found []string
	add := func(word string) {
		if len(word) > 200 {
			word = word[:200]
		}
		if word != "" && !seen[word] {
			seen[word] = true
			found = append(found, word)
		}
	}
	for _, field := range strings.Fields(fold(text)) {
		if strings.Contains(field, "@") {
			add(field)
		}
		for _, word := range strings.FieldsFunc(field, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
			add(word)
		}
	}
	return found
}

// indexedAtOnce is how many people are indexed anew in one transaction: few, for on SQLite those who sign in wait that long.
const indexedAtOnce = 100

// IndexAnew lets those be found by plain words who were indexed before there were any. It is a job of the upkeep, and has
// nothing to do once all are.
func IndexAnew(ctx context.Context, tx database.Tx) error {
	var waiting []string
	if err := tx.NewSelect().Table("people_to_index").Column("user_id").OrderExpr("user_id").Limit(indexedAtOnce).Scan(ctx, &waiting); err != nil {
		return fmt.Errorf("look for people to index: %w", err)
	}
	for _, id := range waiting {
		user, err := Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := index(ctx, tx, user); err != nil {
			return err
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	if _, err := tx.NewDelete().Table("people_to_index").Where("user_id IN ?", bun.Tuple(waiting)).Exec(ctx); err != nil {
		return fmt.Errorf("note who is indexed: %w", err)
	}
	return nil
}
