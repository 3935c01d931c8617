package help

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	// longestQuery and mostTerms bound what one search costs.
	longestQuery = 100
	mostTerms    = 8
	mostResults  = 10
	// excerptLength is how much of a text is shown with a result.
	excerptLength = 180
)

// What a word is worth, by where it stands.
const (
	inTitle   = 12
	inSearch  = 8
	inHeading = 6
	inSummary = 4
	inText    = 1
	// mostInText keeps a long text from winning by its length.
	mostInText = 4
)

// result is a place in an article where something was found.
type result struct {
	article *article
	section *section // nil: the article as a whole
	excerpt []piece
}

// piece is part of an excerpt; found is what was looked for.
type piece struct {
	text  string
	found bool
}

// folded is a text for comparing: no marks on letters, all small.
func folded(text string) string {
	return strings.Map(func(sign rune) rune {
		if unicode.Is(unicode.Mn, sign) {
			return -1
		}
		return unicode.ToLower(sign)
	}, norm.NFKD.String(text))
}

// terms are the words of a text as they are compared.
func terms(text string) []string {
	return strings.FieldsFunc(folded(text), func(sign rune) bool { return !unicode.IsLetter(sign) && !unicode.IsNumber(sign) })
}

// matches says whether a word is what was looked for: it begins with it, or is another form of it.
func matches(word, term string) bool {
	if len(term) < 3 {
		return word == term
	}
	return strings.HasPrefix(word, term) || len(word) > 3 && strings.HasPrefix(term, word) && len(term)-len(word) <= 2
}

// indexed is an article as it is searched: its words, as they are compared.
type indexed struct {
	title, search, summary []string
	headings, texts        [][]string // of its sections
}

func index(a *article) *indexed {
	words := &indexed{title: terms(a.Title), search: terms(a.Search), summary: terms(a.Summary)}
	for _, section := range a.Sections {
		words.headings = append(words.headings, terms(section.Title))
		words.texts = append(words.texts, terms(section.Text))
	}
	return words
}

// worth is what words are worth for each of the terms.
func worth(words, asked []string, each, most int) []int {
	found := make([]int, len(asked))
	for _, word := range words {
		for n, term := range asked {
			if matches(word, term) && found[n] < most {
				found[n] += each
			}
		}
	}
	return found
}

// has says whether each of the terms is among the words.
func has(words, asked []string) bool {
	return !slices.Contains(worth(words, asked, 1, 1), 0)
}

// find answers where something is written about, the best place first: articles that have more of the words, then those
// where they stand higher. query is no longer than longestQuery.
func (l *locale) find(query string) []result {
	asked := terms(query)
	slices.Sort(asked)
	asked = slices.Compact(asked)
	asked = slices.DeleteFunc(asked, func(term string) bool { return common[term] && len(asked) > 1 })
	asked = asked[:min(len(asked), mostTerms)]
	type scored struct {
		result
		terms, score int
	}
	var all []scored
	for _, article := range l.sorted {
		total := make([]int, len(asked))
		add := func(found []int) {
			for n := range found {
				total[n] += found[n]
			}
		}
		words := article.words()
		add(worth(words.title, asked, inTitle, inTitle))
		add(worth(words.search, asked, inSearch, inSearch))
		add(worth(words.summary, asked, inSummary, inSummary))
		best, bestScore := (*section)(nil), 0
		for n := range article.Sections {
			section := &article.Sections[n]
			heading, text := worth(words.headings[n], asked, inHeading, inHeading), worth(words.texts[n], asked, inText, mostInText)
			add(heading)
			add(text)
			if score := sum(heading) + sum(text); score > bestScore {
				best, bestScore = section, score
			}
		}
		if all := slices.Concat(words.title, words.search); best != nil && has(all, asked) && !has(terms(best.Title), asked) {
			best = nil // what was looked for is what the article is about, and no part of it more than another
		}
		hit := scored{result: result{article: article, section: best}, score: sum(total)}
		for _, one := range total {
			if one > 0 {
				hit.terms++
			}
		}
		if hit.terms > 0 {
			all = append(all, hit)
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.terms, a.terms), cmp.Compare(b.score, a.score))
	})
	found := make([]result, 0, mostResults)
	for _, one := range all[:min(len(all), mostResults)] {
		one.excerpt = excerpt(one.result, asked)
		found = append(found, one.result)
	}
	return found
}

// common are words that say nothing where others are asked for too.
var common = map[string]bool{
	"a": true, "an": true, "and": true, "can": true, "do": true, "does": true, "for": true, "how": true, "i": true, "in": true, "is": true,
	"it": true, "my": true, "of": true, "on": true, "or": true, "the": true, "to": true, "what": true, "when": true, "with": true,
}

func sum(all []int) int {
	total := 0
	for _, one := range all {
		total += one
	}
	return total
}

// excerpt is what stands around the first word that was found.
func excerpt(of result, asked []string) []piece {
	text := of.article.Summary
	if of.section != nil && of.section.Text != "" {
		text = of.section.Text
	}
	words := strings.Fields(text)
	is := func(word string) bool {
		return slices.ContainsFunc(terms(word), func(one string) bool {
			return slices.ContainsFunc(asked, func(term string) bool { return matches(one, term) })
		})
	}
	from := max(0, slices.IndexFunc(words, is)-8)
	var pieces []piece
	if from > 0 {
		pieces = append(pieces, piece{text: "… "})
	}
	length := 0
	for n, word := range words[from:] {
		if length += len([]rune(word)) + 1; length > excerptLength {
			return append(pieces, piece{text: "…"})
		}
		if n > 0 {
			pieces = append(pieces, piece{text: " "})
		}
		pieces = append(pieces, piece{text: word, found: is(word)})
	}
	return pieces
}
