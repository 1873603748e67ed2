// Decoding on many threads at once, of which one may ask to be alone.
#ifndef DECODING_H
#define DECODING_H

void decoding_begins(void);
void decoding_ends(void);

#endif
