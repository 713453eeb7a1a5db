package idp

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// adminInput is the input of the operations of an administrator.
type adminInput struct {
	UserPoolID         string `json:"UserPoolId"`
	Username           string
	Password           string
	Permanent          bool
	TemporaryPassword  string
	MessageAction      string
	DeliveryMediums    []string `json:"DesiredDeliveryMediums"`
	AttributesToGet    []string
	UserAttributes     []attribute
	UserAttributeNames []string
	GroupName          string
	Description        *string
	RoleARN            string `json:"RoleArn"`
	Precedence         *int
	Filter             string
	Limit              int
	MaxResults         *int
	NextToken          string
	PaginationToken    string

	ClientID           string `json:"ClientId"`
	AuthFlow           string
	AuthParameters     parameters
	ChallengeName      string
	ClientMetadata     map[string]string
	ChallengeResponses parameters
	Session            string

	SourceUser, DestinationUser userpool.Account
}

// ofAdmin returns an operation of administrators on this pool, which calls f.
func (h *Handler) ofAdmin(f func(context.Context, adminInput) (any, error)) awsjson.Operation {
	return awsjson.Signed(func(ctx context.Context, in adminInput) (any, error) {
		if in.UserPoolID != h.pool.Config().ID {
			return nil, refuse(userpool.ResourceNotFound, "User pool "+awsjson.Clip(in.UserPoolID)+" does not exist.")
		}
		return f(ctx, in)
	})
}

// byAdmin is ofAdmin for operations with an empty answer.
func (h *Handler) byAdmin(f func(context.Context, adminInput) error) awsjson.Operation {
	return h.ofAdmin(func(ctx context.Context, in adminInput) (any, error) { return empty{}, f(ctx, in) })
}

// admin returns the operations of administrators.
func (h *Handler) admin() map[string]awsjson.Operation {
	p := h.pool
	return map[string]awsjson.Operation{
		"AdminCreateUser":             h.ofAdmin(h.adminCreateUser),
		"AdminGetUser":                h.ofAdmin(h.adminGetUser),
		"AdminInitiateAuth":           h.ofAdmin(h.adminInitiateAuth),
		"AdminListGroupsForUser":      h.ofAdmin(h.adminListGroupsForUser),
		"AdminRespondToAuthChallenge": h.ofAdmin(h.adminRespondToAuthChallenge),
		"CreateGroup":                 h.ofAdmin(h.createGroup),
		"GetGroup":                    h.ofAdmin(h.getGroup),
		"ListGroups":                  h.ofAdmin(h.listGroups),
		"ListUsers":                   h.ofAdmin(h.listUsers),
		"ListUsersInGroup":            h.ofAdmin(h.listUsersInGroup),
		"UpdateGroup":                 h.ofAdmin(h.updateGroup),

		"AdminSetUserPassword": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.SetPassword(ctx, in.Username, in.Password, in.Permanent)
		}),
		"AdminResetUserPassword": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.ResetPassword(ctx, in.Username)
		}),
		"AdminConfirmSignUp": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.Confirm(ctx, in.Username)
		}),
		"AdminUpdateUserAttributes": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.SetAttributes(ctx, in.Username, attributeMap(in.UserAttributes))
		}),
		"AdminDeleteUserAttributes": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.RemoveAttributes(ctx, in.Username, in.UserAttributeNames)
		}),
		"AdminLinkProviderForUser": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.Link(ctx, in.SourceUser, in.DestinationUser)
		}),
		"AdminEnableUser": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.SetEnabled(ctx, in.Username, true)
		}),
		"AdminDisableUser": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.SetEnabled(ctx, in.Username, false)
		}),
		"AdminDeleteUser": h.byAdmin(func(ctx context.Context, in adminInput) error {
			u, err := p.UserByName(ctx, in.Username)
			if err != nil {
				return err
			}
			return p.DeleteUser(ctx, u.Sub)
		}),
		"AdminUserGlobalSignOut": h.byAdmin(func(ctx context.Context, in adminInput) error {
			u, err := p.UserByName(ctx, in.Username)
			if err != nil {
				return err
			}
			return p.GlobalSignOut(ctx, u.Sub)
		}),
		"AdminAddUserToGroup": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.AddToGroup(ctx, in.Username, in.GroupName)
		}),
		"AdminRemoveUserFromGroup": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.RemoveFromGroup(ctx, in.Username, in.GroupName)
		}),
		"DeleteGroup": h.byAdmin(func(ctx context.Context, in adminInput) error {
			return p.DeleteGroup(ctx, in.GroupName)
		}),
	}
}

// userType is UserType. AdminGetUser names the attributes UserAttributes.
type userType struct {
	Attributes           []attribute `json:",omitempty"`
	UserAttributes       []attribute `json:",omitempty"`
	Enabled              bool
	UserCreateDate       float64
	UserLastModifiedDate float64
	UserStatus           userpool.Status
	Username             string
}

func userOf(u *userpool.User) userType {
	return userType{
		Attributes: attributesOf(u), Enabled: u.Enabled, UserCreateDate: seconds(u.Created),
		UserLastModifiedDate: seconds(u.Modified), UserStatus: u.Status, Username: u.Username,
	}
}

func usersOf(users []*userpool.User) []userType {
	list := []userType{}
	for _, u := range users {
		list = append(list, userOf(u))
	}
	return list
}

func (h *Handler) adminCreateUser(ctx context.Context, in adminInput) (any, error) {
	invite := h.pool.CreateUser
	switch in.MessageAction {
	case "", "SUPPRESS":
	case "RESEND":
		invite = h.pool.InviteAgain
	default:
		return nil, refuse(userpool.InvalidParameter, "1 validation error detected: "+
			"Value at 'messageAction' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [RESEND, SUPPRESS]")
	}
	u, err := invite(ctx, userpool.CreateUserInput{
		Username: in.Username, TemporaryPassword: in.TemporaryPassword,
		Attributes: attributeMap(in.UserAttributes), Silent: in.MessageAction == "SUPPRESS",
		Mediums: in.DeliveryMediums})
	if err != nil {
		return nil, err
	}
	return struct{ User userType }{userOf(u)}, nil
}

func (h *Handler) adminGetUser(ctx context.Context, in adminInput) (any, error) {
	u, err := h.pool.UserByName(ctx, in.Username)
	if err != nil {
		return nil, err
	}
	t := userOf(u)
	t.Attributes, t.UserAttributes = nil, t.Attributes
	return t, nil
}

// groupType is GroupType.
type groupType struct {
	GroupName        string
	UserPoolID       string `json:"UserPoolId"`
	Description      string `json:",omitempty"`
	RoleARN          string `json:"RoleArn,omitempty"`
	Precedence       *int   `json:",omitempty"`
	CreationDate     float64
	LastModifiedDate float64
}

func (h *Handler) groupOf(g userpool.Group) groupType {
	return groupType{g.Name, h.pool.Config().ID, g.Description, g.RoleARN, g.Precedence, seconds(g.Created), seconds(g.Modified)}
}

// groups returns the page of a list of groups that in asks for.
func (h *Handler) groups(list []userpool.Group, in adminInput) (any, error) {
	page, next, err := pageOf(list, in.Limit, in.NextToken)
	out := struct {
		Groups    []groupType
		NextToken string `json:",omitempty"`
	}{[]groupType{}, next}
	for _, g := range page {
		out.Groups = append(out.Groups, h.groupOf(g))
	}
	return out, err
}

func (h *Handler) adminListGroupsForUser(ctx context.Context, in adminInput) (any, error) {
	u, err := h.pool.UserByName(ctx, in.Username)
	if err != nil {
		return nil, err
	}
	return h.groups(u.Groups, in)
}

func (h *Handler) listGroups(ctx context.Context, in adminInput) (any, error) {
	list, err := h.pool.Groups(ctx)
	if err != nil {
		return nil, err
	}
	return h.groups(list, in)
}

// group returns one group.
func (h *Handler) group(g userpool.Group, err error) (any, error) {
	return struct{ Group groupType }{h.groupOf(g)}, err
}

func (h *Handler) getGroup(ctx context.Context, in adminInput) (any, error) {
	return h.group(h.pool.Group(ctx, in.GroupName))
}

func (h *Handler) createGroup(ctx context.Context, in adminInput) (any, error) {
	g := userpool.Group{Name: in.GroupName}
	in.describe(&g)
	return h.group(h.pool.CreateGroup(ctx, g))
}

func (h *Handler) updateGroup(ctx context.Context, in adminInput) (any, error) {
	return h.group(h.pool.UpdateGroup(ctx, in.GroupName, in.describe))
}

// describe sets those members of g that the input has.
func (in adminInput) describe(g *userpool.Group) {
	if in.Description != nil {
		g.Description = *in.Description
	}
	if in.RoleARN != "" {
		g.RoleARN = in.RoleARN
	}
	if in.Precedence != nil {
		g.Precedence = in.Precedence
	}
}

func (h *Handler) listUsersInGroup(ctx context.Context, in adminInput) (any, error) {
	users, err := h.pool.UsersInGroup(ctx, in.GroupName)
	page, next, pageErr := pageOf(users, in.Limit, in.NextToken)
	if err == nil {
		err = pageErr
	}
	return struct {
		Users     []userType
		NextToken string `json:",omitempty"`
	}{usersOf(page), next}, err
}

func (h *Handler) listUsers(ctx context.Context, in adminInput) (any, error) {
	match, err := parseFilter(in.Filter)
	if err != nil {
		return nil, err
	}
	users, err := h.pool.Users(ctx)
	if err != nil {
		return nil, err
	}
	var found []*userpool.User
	for _, u := range users {
		if match(u) {
			found = append(found, u)
		}
	}
	page, next, err := pageOf(found, in.Limit, in.PaginationToken)
	if err != nil {
		return nil, err
	}
	list := usersOf(page)
	for i := range list {
		if in.AttributesToGet == nil {
			break
		}
		if list[i].Attributes, err = choose(list[i].Attributes, in.AttributesToGet); err != nil {
			return nil, err
		}
	}
	return struct {
		PaginationToken string `json:",omitempty"`
		Users           []userType
	}{next, list}, nil
}

// choose returns the attributes of a user with these names. It refuses if the user
// lacks one of them (API Reference, ListUsers, AttributesToGet).
func choose(list []attribute, names []string) ([]attribute, error) {
	var chosen []attribute
	for _, name := range names {
		i := slices.IndexFunc(list, func(a attribute) bool { return a.Name == name })
		if i < 0 {
			return nil, refuse(userpool.InvalidParameter,
				"One or more requested attributes do not exist.")
		}
		chosen = append(chosen, list[i])
	}
	return chosen, nil
}

// maxPage is the largest Limit, and the default.
const maxPage = 60

// pageOf returns the page of a list that begins at token, a position.
func pageOf[T any](list []T, limit int, token string) (page []T, next string, err error) {
	from := 0
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 {
			return nil, "", refuse(userpool.InvalidParameter, "Invalid pagination token.")
		}
	}
	if limit < 0 || limit > maxPage {
		return nil, "", refuse(userpool.InvalidParameter, "Limit must be between 0 and 60.")
	}
	if limit == 0 {
		limit = maxPage
	}
	from = min(from, len(list))
	to := min(from+limit, len(list))
	if to < len(list) {
		next = strconv.Itoa(to)
	}
	return list[from:to], next, nil
}

// filter is the Filter of ListUsers: attribute = "value" or attribute ^= "prefix".
// In the value, a backslash escapes the character after it.
var filter = regexp.MustCompile(`^\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$`)

var escaped = regexp.MustCompile(`\\(.)`)

// parseFilter returns whether a user matches. Only some
// attributes are searchable (API Reference, ListUsers, Filter).
func parseFilter(text string) (func(*userpool.User) bool, error) {
	if text == "" {
		return func(*userpool.User) bool { return true }, nil
	}
	m := filter.FindStringSubmatch(text)
	if m == nil || utf8.RuneCountInString(text) > 256 {
		return nil, refuse(userpool.InvalidParameter, "Error while parsing filter.")
	}
	name, value := m[1], escaped.ReplaceAllString(m[3], "$1")
	switch name {
	case "email", "family_name", "given_name", "name", "phone_number", "preferred_username",
		"status", "sub", "username":
	case "cognito:user_status": // its case does not matter
		value = strings.ToUpper(value)
	default:
		return nil, refuse(userpool.InvalidParameter,
			"The attribute "+awsjson.Clip(name)+" is not searchable.")
	}
	return func(u *userpool.User) bool {
		var got string
		switch name {
		case "username":
			got = u.Username
		case "sub":
			got = u.Sub
		case "cognito:user_status":
			got = string(u.Status)
		case "status":
			got = map[bool]string{true: "Enabled", false: "Disabled"}[u.Enabled]
		default:
			got = u.Attributes[name]
		}
		if m[2] == "^=" {
			return strings.HasPrefix(got, value)
		}
		return got == value
	}, nil
}
