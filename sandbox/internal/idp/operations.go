package idp

import (
	"maps"
	"slices"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// table lists every operation that is known.
func (h *Handler) table() map[string]operation {
	return map[string]operation{
		// Signing up and in, with a client id.
		"SignUp":                    op(h.signUp),
		"ConfirmSignUp":             op(h.confirmSignUp),
		"ResendConfirmationCode":    op(h.resendConfirmationCode),
		"ForgotPassword":            op(h.forgotPassword),
		"ConfirmForgotPassword":     op(h.confirmForgotPassword),
		"InitiateAuth":              op(h.initiateAuth),
		"RespondToAuthChallenge":    op(h.respondToAuthChallenge),
		"GetTokensFromRefreshToken": op(h.getTokensFromRefreshToken),
		"RevokeToken":               op(h.revokeToken),

		// A signed-in user, with an access token.
		"GetUser":                          op(h.getUser),
		"UpdateUserAttributes":             op(h.updateUserAttributes),
		"DeleteUserAttributes":             op(h.deleteUserAttributes),
		"GetUserAttributeVerificationCode": op(h.getUserAttributeVerificationCode),
		"VerifyUserAttribute":              op(h.verifyUserAttribute),
		"ChangePassword":                   op(h.changePassword),
		"GlobalSignOut":                    op(h.globalSignOut),
		"DeleteUser":                       op(h.deleteUser),

		// An administrator, with a signature.
		"AdminCreateUser":           signed(h.adminCreateUser),
		"AdminGetUser":              signed(h.adminGetUser),
		"AdminSetUserPassword":      signed(h.adminSetUserPassword),
		"AdminResetUserPassword":    signed(h.adminResetUserPassword),
		"AdminConfirmSignUp":        signed(h.adminConfirmSignUp),
		"AdminUpdateUserAttributes": signed(h.adminUpdateUserAttributes),
		"AdminEnableUser":           signed(h.adminEnableUser),
		"AdminDisableUser":          signed(h.adminDisableUser),
		"AdminDeleteUser":           signed(h.adminDeleteUser),
		"AdminUserGlobalSignOut":    signed(h.adminUserGlobalSignOut),
		"AdminAddUserToGroup":       signed(h.adminAddUserToGroup),
		"AdminRemoveUserFromGroup":  signed(h.adminRemoveUserFromGroup),
		"AdminListGroupsForUser":    signed(h.adminListGroupsForUser),
		"CreateGroup":               signed(h.createGroup),
		"DeleteGroup":               signed(h.deleteGroup),
		"ListGroups":                signed(h.listGroups),
		"ListUsers":                 signed(h.listUsers),
		"ListUsersInGroup":          signed(h.listUsersInGroup),
	}
}

// empty is the answer of operations that answer nothing.
type empty struct{}

// attribute is AttributeType.
type attribute struct{ Name, Value string }

func attributeMap(list []attribute) map[string]string {
	m := map[string]string{}
	for _, a := range list {
		m[a.Name] = a.Value
	}
	return m
}

// attributesOf lists the attributes of a user by name, sub among them.
func attributesOf(u *userpool.User) []attribute {
	m := maps.Clone(u.Attributes)
	m["sub"] = u.Sub
	list := []attribute{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, attribute{name, m[name]})
	}
	return list
}

// delivery is CodeDeliveryDetailsType.
type delivery struct{ AttributeName, DeliveryMedium, Destination string }

func deliveryOf(d *userpool.Delivery) *delivery {
	if d == nil {
		return nil
	}
	return &delivery{d.Attribute, d.Medium, d.Destination}
}

// seconds is a time as JSON 1.1 carries it: Unix seconds with a fraction.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func refuse(code, message string) error { return &userpool.Error{Code: code, Message: message} }

// checkHash refuses a call of a client with a secret unless it has the right SECRET_HASH.
func (h *Handler) checkHash(clientID, username, hash string) error {
	c, err := h.pool.Client(clientID)
	switch {
	case err != nil:
		return err
	case c.Secret != "" && hash == "":
		return refuse(userpool.NotAuthorized, "Client "+c.ID+" is configured with secret but SECRET_HASH was not received")
	case !c.CheckSecretHash(username, hash):
		return refuse(userpool.NotAuthorized, "Unable to verify secret hash for client "+c.ID)
	}
	return nil
}

// checkSecret refuses a call of a client with a secret unless it has that.
func (h *Handler) checkSecret(clientID, secret, code string) error {
	c, err := h.pool.Client(clientID)
	if err != nil {
		return err
	}
	if c.Secret != "" && !c.CheckSecret(secret) {
		return refuse(code, "Unable to verify the client secret of client "+c.ID)
	}
	return nil
}
