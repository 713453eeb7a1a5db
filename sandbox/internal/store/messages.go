package store

import "time"

// Message is a message that Cognito would have sent. ID is given by the store.
type Message struct {
	ID                                             int64
	Sub, Username, Kind, Medium, To, Subject, Body string
	Code                                           string
	Sent                                           time.Time
}

// AddMessage adds a message.
func (tx *Tx) AddMessage(m Message) error {
	return tx.exec("INSERT INTO messages (sub, value) VALUES (?, ?)", m.Sub, mustJSON(m))
}

// Messages returns the newest messages first, limit at most: those to one user, or all if sub is empty.
func (tx *Tx) Messages(sub string, limit int) ([]Message, error) {
	return all(tx, func(r scanner) (Message, error) {
		var m Message
		var id int64
		err := r.Scan(&id, asJSON(&m))
		m.ID = id
		return m, err
	}, "SELECT id, value FROM messages WHERE ? IN ('', sub) ORDER BY id DESC LIMIT ?", sub, limit)
}
