// What the page knows of the hall, shared by its parts.

// What a call is for, in words.
export const KINDS = { call: 'gọi', recall: 'gọi lại', transfer: 'chuyển', serving: 'phục vụ', absent: 'vắng mặt', cancel: 'hủy' };

const RANKS = { viewer: 0, operator: 1, technician: 2 };

export const hall = {
  about: { counters: [], lanes: [], zones: [], series: [], screen: { width: 1920, height: 1080 }, ticker: { px_s: 120, title: '' } },
  view: null,
  me: null,
  token: null,
  notices: [],
  // What every zone says and what waits there.
  speech: [],
  health: null,
  // The hall's screens, as they tell of themselves.
  screens: [],
  // The open page: sanh, thong-bao, lich-su, man-hinh or suc-khoe.
  page: '',
  link: null,
};

// Whether who has signed in may do what a role may.
export function may(role) {
  return hall.me !== null && RANKS[hall.me.role] >= RANKS[role];
}

// The zones of this screen, then those that only others have.
export function zonesOf() {
  return Array.from(new Set(hall.about.zones.concat(hall.screens.flatMap((screen) => screen.zones || []))));
}

export function nameOf(counter) {
  const known = (hall.view ? hall.view.counters : []).find((c) => c.counter === counter)
    || hall.about.counters.find((c) => c.id === counter);
  return `${(known && known.noun) || 'Quầy'} ${counter}`;
}

// Why the holder of a ticket is served the way they are, in words; empty for most.
export function whose({ lane: id, slot }) {
  if (slot) return `hẹn ${slot}`;
  const lane = hall.about.lanes.find((l) => l.id === id);
  return lane && id !== 'regular' ? lane.name : '';
}
