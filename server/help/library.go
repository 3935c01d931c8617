package help

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/secondstep/secondstep/server/web"
)

//go:embed articles
var embedded embed.FS

// source is the locale that all others are translated from, and that stands in for what they lack.
const source = "en"

const (
	wordsFile      = "words.json"
	picturesFolder = "pictures"
	// largestFile bounds what an installation may put into its folder.
	largestFile = 1 << 20
)

// library are all articles, in all languages that there are.
type library struct {
	locales  []*locale // the first is the source
	matcher  language.Matcher
	pictures map[string]*web.Document // of the installation
}

// locale is one language: its words, and every article, be it in the source's language.
type locale struct {
	name   string
	words  *words
	sorted []*article
	bySlug map[string]*article
}

// load reads the articles of the program, and over them those of the installation's own folder; nil: it has none.
// builtIn says which pictures the front end has.
func load(own fs.FS, builtIn func(name string) bool) (*library, error) {
	ours, err := fs.Sub(embedded, "articles")
	if err != nil {
		return nil, err
	}
	l := &library{pictures: map[string]*web.Document{}}
	read := map[string]*locale{}
	if faults := l.folder(ours, read); len(faults) > 0 {
		return nil, faults
	}
	if own != nil {
		if faults := l.folder(own, read); len(faults) > 0 {
			return nil, faults
		}
	}
	l.settle(read)
	if own != nil {
		return l, l.check(own, builtIn).err()
	}
	return l, nil
}

var localeShape = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// folder reads one folder of locales over what was read before.
func (l *library) folder(from fs.FS, into map[string]*locale) Faults {
	entries, err := fs.ReadDir(from, ".")
	if err != nil {
		return Faults{{".", 0, "the folder can't be read: " + reason(err)}}
	}
	var faults Faults
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case !entry.IsDir():
			if name != "README.md" {
				faults = append(faults, Fault{name, 0, "articles lie in a folder named by their language, such as en"})
			}
		case name == picturesFolder:
			faults = append(faults, l.readPictures(from)...)
		case !localeShape.MatchString(name):
			faults = append(faults, Fault{name, 0, "a folder is named by a language, such as en or pt-BR, or pictures"})
		default:
			faults = append(faults, readLocale(from, name, into)...)
		}
	}
	return faults
}

// reason is why a file can't be read, without its path, which is told anyway.
func reason(err error) string {
	if told := (*fs.PathError)(nil); errors.As(err, &told) {
		return told.Err.Error()
	}
	return err.Error()
}

func readLocale(from fs.FS, name string, into map[string]*locale) Faults {
	if _, err := language.Parse(name); err != nil {
		return Faults{{name, 0, "this names no language"}}
	}
	entries, err := fs.ReadDir(from, name)
	if err != nil {
		return Faults{{name, 0, "the folder can't be read: " + reason(err)}}
	}
	of := into[name]
	if of == nil {
		of = &locale{name: name, bySlug: map[string]*article{}}
		into[name] = of
	}
	var faults Faults
	for _, entry := range entries {
		file := path.Join(name, entry.Name())
		slug, markdown := strings.CutSuffix(entry.Name(), ".md")
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if entry.IsDir() || !markdown && entry.Name() != wordsFile || markdown && !anchorShape.MatchString(slug) || taken[slug] || slug == picturesFolder {
			faults = append(faults, Fault{file, 0, "the file of an article is named by small letters, digits and dashes, and ends in .md; search.md, contact.md, ticket.md, fix.md and pictures.md are taken"})
			continue
		}
		content, err := readFile(from, file)
		if err != nil {
			faults = append(faults, Fault{file, 0, "it can't be read: " + reason(err)})
			continue
		}
		if !markdown {
			words, what := readWords(content, of.words)
			if what != "" {
				faults = append(faults, Fault{file, 0, what})
			}
			of.words = words
			continue
		}
		article, wrong := readArticle(name, slug, file, content)
		faults = append(faults, wrong...)
		of.bySlug[slug] = article
	}
	return faults
}

func readFile(from fs.FS, name string) ([]byte, error) {
	about, err := fs.Stat(from, name)
	if err != nil {
		return nil, err
	}
	if about.Size() > largestFile {
		return nil, fmt.Errorf("it has more than %d bytes", largestFile)
	}
	return fs.ReadFile(from, name)
}

func (l *library) readPictures(from fs.FS) Faults {
	entries, err := fs.ReadDir(from, picturesFolder)
	if err != nil {
		return Faults{{picturesFolder, 0, "the folder can't be read: " + reason(err)}}
	}
	var faults Faults
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		file := path.Join(picturesFolder, name)
		if entry.IsDir() || !pictureShape.MatchString(name) {
			faults = append(faults, Fault{file, 0, "a picture is a .png, .webp or .jpg, named by small letters, digits and dashes"})
			continue
		}
		content, err := readFile(from, file)
		if err != nil {
			faults = append(faults, Fault{file, 0, "it can't be read: " + reason(err)})
			continue
		}
		l.pictures[name], _ = web.NewPicture(name, content)
	}
	return faults
}

// settle puts what was read in order. A language that lacks an article has the source's.
func (l *library) settle(read map[string]*locale) {
	first := read[source]
	names := slices.Sorted(maps.Keys(read))
	names = append([]string{source}, slices.DeleteFunc(names, func(name string) bool { return name == source })...)
	tags := make([]language.Tag, 0, len(names))
	for _, name := range names {
		of := read[name]
		if of.words == nil {
			of.words = first.words
		}
		for slug, article := range first.bySlug {
			if of.bySlug[slug] == nil {
				of.bySlug[slug] = article
			}
		}
		of.sorted = slices.SortedFunc(maps.Values(of.bySlug), func(a, b *article) int {
			if by := slices.Index(audiences, a.Audience) - slices.Index(audiences, b.Audience); by != 0 {
				return by
			}
			if by := a.Order - b.Order; by != 0 {
				return by
			}
			return strings.Compare(a.Slug, b.Slug)
		})
		l.locales = append(l.locales, of)
		tags = append(tags, language.Make(name))
	}
	l.matcher = language.NewMatcher(tags)
}

// check looks for links and pictures of an installation's own articles that lead nowhere. Those of the program's are
// looked at by a test; one of theirs may have lost its anchor to an article that the installation replaced.
func (l *library) check(own fs.FS, builtIn func(name string) bool) Faults {
	var faults Faults
	for _, of := range l.locales {
		for _, article := range of.sorted {
			if article.Locale != of.name {
				continue
			}
			if _, err := fs.Stat(own, article.file); err != nil {
				continue
			}
			faults = append(faults, of.broken(article)...)
			for _, shown := range article.figures {
				if l.pictures[shown.name] == nil && !builtIn(shown.name) {
					faults = append(faults, Fault{article.file, shown.line, "there is no picture " + shown.name + " in the folder pictures"})
				}
			}
		}
	}
	return faults
}

// broken are the links of an article that lead nowhere.
func (l *locale) broken(article *article) Faults {
	var faults Faults
	for _, to := range article.links {
		target := article
		if to.slug != "" {
			target = l.bySlug[to.slug]
		}
		switch {
		case target == nil:
			faults = append(faults, Fault{article.file, to.line, "there is no article " + to.slug})
		case to.anchor != "" && !target.hasAnchor(to.anchor):
			faults = append(faults, Fault{article.file, to.line, "there is no anchor " + to.anchor + " in " + target.Slug})
		}
	}
	return faults
}

// in is the language for whoever asks for those; the source's where there is none of them.
func (l *library) in(accepted string) *locale {
	if accepted == "" || len(l.locales) == 1 {
		return l.locales[0]
	}
	wanted, _, err := language.ParseAcceptLanguage(accepted)
	if err != nil {
		return l.locales[0]
	}
	_, at, sure := l.matcher.Match(wanted...)
	if sure == language.No {
		return l.locales[0]
	}
	return l.locales[at]
}

// beside are the articles before and after one; nil where there is none.
func (l *locale) beside(slug string) (before, after *article) {
	at := slices.IndexFunc(l.sorted, func(a *article) bool { return a.Slug == slug })
	if at > 0 {
		before = l.sorted[at-1]
	}
	if at >= 0 && at+1 < len(l.sorted) {
		after = l.sorted[at+1]
	}
	return before, after
}

// taken are the names of pages that are no articles.
var taken = map[string]bool{"search": true, "contact": true, "ticket": true, "fix": true}
