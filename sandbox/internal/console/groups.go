package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// group is a group with its members.
type group struct {
	userpool.Group
	Members []*userpool.User
}

// Order returns the precedence as text. It is empty if the group has none.
func (g group) Order() string {
	if g.Precedence == nil {
		return ""
	}
	return strconv.Itoa(*g.Precedence)
}

// groupsPage is the list of groups, with the form for another one.
type groupsPage struct {
	group  // empty: what the form for a new group begins with
	Groups []group
}

func (h *Handler) groups(r *http.Request) (any, error) {
	all, err := h.Pool.Groups(r.Context())
	if err != nil {
		return nil, err
	}
	p := groupsPage{Groups: make([]group, len(all))}
	for i, g := range all {
		members, err := h.Pool.UsersInGroup(r.Context(), g.Name)
		if err != nil {
			return nil, err
		}
		p.Groups[i] = group{g, members}
	}
	return p, nil
}

func (h *Handler) createGroup(r *http.Request) (string, error) {
	g := userpool.Group{Name: strings.TrimSpace(r.PostForm.Get("name"))}
	describe, err := groupForm(r)
	if err != nil {
		return "", err
	}
	describe(&g)
	_, err = h.Pool.CreateGroup(r.Context(), g)
	return "/console/groups?done=group-created", err
}

// groupForm reads the form of a group. It returns a function that sets all but the name.
func groupForm(r *http.Request) (func(*userpool.Group), error) {
	value := func(field string) string { return strings.TrimSpace(r.PostForm.Get(field)) }
	var precedence *int
	if text := value("precedence"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, formError{"The precedence is a whole number. The lowest one comes first."}
		}
		precedence = &n
	}
	return func(g *userpool.Group) {
		g.Description, g.Precedence, g.RoleARN = value("description"), precedence, value("role")
	}, nil
}

// groupName returns the name of the request's group.
func groupName(r *http.Request) string { return r.URL.Query().Get("name") }

func (h *Handler) group(r *http.Request) (any, error) {
	g, err := h.Pool.Group(r.Context(), groupName(r))
	if err != nil {
		return nil, err
	}
	members, err := h.Pool.UsersInGroup(r.Context(), g.Name)
	return group{g, members}, err
}

func (h *Handler) changeGroup(r *http.Request) (string, error) {
	describe, err := groupForm(r)
	if err != nil {
		return "", err
	}
	_, err = h.Pool.UpdateGroup(r.Context(), groupName(r), describe)
	return groupPath(groupName(r)) + "&done=group-changed", err
}

func (h *Handler) askDeleteGroup(r *http.Request) (any, error) {
	g, err := h.Pool.Group(r.Context(), groupName(r))
	if err != nil {
		return nil, err
	}
	return ask{
		Title:  "Delete the group " + g.Name + "?",
		Text:   "Its members stay. Their tokens contain the group until the next refresh.",
		Action: "/console/group/delete?name=" + url.QueryEscape(g.Name), Button: "Delete group",
		Back: groupPath(g.Name),
	}, nil
}

func (h *Handler) deleteGroup(r *http.Request) (string, error) {
	return "/console/groups?done=group-deleted", h.Pool.DeleteGroup(r.Context(), groupName(r))
}

func groupPath(name string) string { return "/console/group?name=" + url.QueryEscape(name) }
