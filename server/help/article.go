package help

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"
)

// The audiences, in the order in which they are listed.
const (
	Everybody      = "everybody"
	Administrators = "administrators"
	Installers     = "installers"
)

var audiences = []string{Everybody, Administrators, Installers}

const (
	wordsAMinute   = 200
	longestTitle   = 80
	longestSummary = 200
)

// article is one article in one language.
type article struct {
	Slug     string // the file's name without .md, and the last part of the address
	Locale   string
	Title    string
	Summary  string
	Order    int
	Updated  time.Time
	Audience string
	Search   string // words that readers may look for and that are not in it

	Sections []section
	HTML     string // of the whole text; safe
	Minutes  int    // that reading takes

	file    string
	links   []link
	strong  []strong
	figures []figure
	words   func() *indexed // for the search, made when it is first searched
}

// section is a heading with the text below it. The first one of an article is the text before all headings: it has none.
type section struct {
	Level  int
	Anchor string
	Title  string
	Text   string // plain, for the search
}

// link is one that leads to an article, or to an anchor in one.
type link struct {
	line         int
	slug, anchor string
}

// strong is a name that stands in bold: one of the product's own.
type strong struct {
	line int
	text string
}

// figure is a picture that is shown.
type figure struct {
	line int
	name string
}

// fence is what stands before and after the front matter.
const fence = "---"

// readArticle reads a file: front matter, then Markdown. With faults there is no article.
func readArticle(locale, slug, file string, source []byte) (*article, Faults) {
	lines := strings.SplitAfter(string(source), "\n")
	end := -1
	if strings.TrimRight(lines[0], "\r\n") == fence {
		for n, line := range lines[1:] {
			if strings.TrimRight(line, "\r\n") == fence {
				end = n + 1
				break
			}
		}
	}
	if end < 0 {
		return nil, Faults{{file, 1, "it must begin with front matter: a line ---, title, summary, order, updated and audience, a line ---"}}
	}
	article := &article{Slug: slug, Locale: locale, file: file}
	article.words = sync.OnceValue(func() *indexed { return index(article) })
	faults := article.readFront(strings.Join(lines[1:end], ""))
	body := strings.Join(lines[end+1:], "")
	return article, append(faults, article.readBody(body, end+1)...)
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// readFront reads the front matter, whose first line is the second of the file.
func (a *article) readFront(text string) Faults {
	fault := func(line int, format string, args ...any) Fault {
		return Fault{a.file, line + 1, fmt.Sprintf(format, args...)}
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		if told := yamlLine.FindStringSubmatch(err.Error()); told != nil {
			line, _ := strconv.Atoi(told[1])
			return Faults{fault(line, "the front matter can't be read: %s", told[2])}
		}
		return Faults{fault(0, "the front matter can't be read: %s", strings.TrimPrefix(err.Error(), "yaml: "))}
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return Faults{fault(0, "the front matter must be lines such as title: Sign in")}
	}
	var faults Faults
	seen := map[string]bool{}
	pairs := document.Content[0].Content
	for n := 0; n+1 < len(pairs); n += 2 {
		key, value := pairs[n].Value, pairs[n+1]
		if seen[key] {
			faults = append(faults, fault(pairs[n].Line, "%s is there twice", key))
		}
		seen[key] = true
		if value.Kind != yaml.ScalarNode {
			faults = append(faults, fault(value.Line, "%s must be one value", key))
			continue
		}
		if what := a.take(key, strings.TrimSpace(value.Value)); what != "" {
			faults = append(faults, fault(pairs[n].Line, "%s", what))
		}
	}
	for _, key := range []string{"title", "summary", "order", "updated", "audience"} {
		if !seen[key] {
			faults = append(faults, fault(0, "%s is missing in the front matter", key))
		}
	}
	return faults
}

// take takes one line of the front matter, or says what is wrong with it.
func (a *article) take(key, value string) string {
	var err error
	switch key {
	case "title":
		if a.Title = named(value); value == "" || len([]rune(a.Title)) > longestTitle {
			return fmt.Sprintf("title must have 1 to %d characters", longestTitle)
		}
	case "summary":
		if a.Summary = named(value); value == "" || len([]rune(a.Summary)) > longestSummary {
			return fmt.Sprintf("summary must have 1 to %d characters", longestSummary)
		}
	case "order":
		if a.Order, err = strconv.Atoi(value); err != nil {
			return "order must be a whole number"
		}
	case "updated":
		if a.Updated, err = time.Parse(time.DateOnly, value); err != nil {
			return "updated must be a day such as 2026-11-25"
		}
	case "audience":
		if a.Audience = value; !slices.Contains(audiences, value) {
			return "audience must be one of " + strings.Join(audiences, ", ")
		}
	case "search":
		a.Search = value
	default:
		return key + " is none of title, summary, order, updated, audience, search"
	}
	return ""
}

// place is where the installation's own name comes.
const place = "{brand}"

// brandHere stands in an article, as it is kept, for the brand: of no meaning in Markdown or HTML, and put in when a page
// is written, since an administrator may change the brand at any time.
const brandHere = "\ue000"

func named(text string) string { return strings.ReplaceAll(text, place, brandHere) }

// anchors of an article, its title's own among them.
func (a *article) hasAnchor(anchor string) bool {
	return slices.ContainsFunc(a.Sections, func(s section) bool { return s.Anchor == anchor && s.Anchor != "" })
}
