package userpool

import "time"

// User is a user of the pool as of the moment of reading.
type User struct {
	// Sub is the user's id for ever.
	Sub string
	// Username is the pool's own name of the user, a UUID where users sign in with an attribute.
	Username string
	Status   Status
	Enabled  bool
	// Attributes holds every attribute but sub, under Cognito's names; all values are text,
	// email_verified too ("true").
	Attributes map[string]string
	// Identities tells where a federated user comes from.
	Identities []Identity
	// Groups are the user's groups, the most important (lowest precedence) first.
	Groups            []Group
	Created, Modified time.Time
}

// Status is Cognito's UserStatusType.
type Status string

// Statuses of a user.
const (
	Unconfirmed         Status = "UNCONFIRMED"
	Confirmed           Status = "CONFIRMED"
	ExternalProvider    Status = "EXTERNAL_PROVIDER"
	ResetRequired       Status = "RESET_REQUIRED"
	ForceChangePassword Status = "FORCE_CHANGE_PASSWORD"
)

// Identity is one entry of the attribute and claim "identities".
type Identity struct {
	UserID       string  `json:"userId"`
	ProviderName string  `json:"providerName"`
	ProviderType string  `json:"providerType"`
	Issuer       *string `json:"issuer"`
	Primary      string  `json:"primary"`
	DateCreated  string  `json:"dateCreated"`
}

// Group is a group of the pool.
type Group struct {
	Name, Description, RoleARN string
	// Precedence ranks the roles of a user's groups: the lowest wins. Nil ranks last.
	Precedence        *int
	Created, Modified time.Time
}

// Delivery says, with the address mostly hidden, where a code was sent.
type Delivery struct {
	Attribute   string // "email" or "phone_number"
	Medium      string // "EMAIL" or "SMS"
	Destination string
}

// Message is a message that Cognito would have sent.
type Message struct {
	ID int64
	// To is the whole address or phone number.
	To, Medium string
	// Sub and Username are those of the user; Kind is "sign-up", "reset-password", "verify-attribute" or "invitation".
	Sub, Username, Kind string
	Subject, Body       string
	// Code is the code, or the temporary password of an invitation.
	Code string
	Sent time.Time
}
