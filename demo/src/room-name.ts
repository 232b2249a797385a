// A room name that is easy to say on the telephone. Easy to guess, too: whoever may mint tokens may enter any room.

const FIRST = ['amber', 'brave', 'calm', 'clear', 'coral', 'early', 'gentle', 'golden', 'green', 'happy', 'kind', 'lucky', 'quiet', 'silver', 'sunny', 'warm'];
const SECOND = ['anchor', 'bay', 'birch', 'brook', 'cedar', 'cove', 'fern', 'field', 'harbor', 'hill', 'island', 'lake', 'meadow', 'orchard', 'river', 'valley'];

export function randomRoomName(): string {
  const [first = 0, second = 0, number = 0] = crypto.getRandomValues(new Uint8Array(3));
  return `${FIRST[first % FIRST.length]}-${SECOND[second % SECOND.length]}-${10 + (number % 90)}`;
}
