/**
 * Simple English words: this project's own list of 2163, part of the protocol since safety numbers are told in them
 * (SPEC 7.5). words.txt is the same list, one word a line. It never changes within version 1.
 */
export const wordlist: readonly string[] = `
able about above absent absorb accent accept access accord account acorn acre across action active actor actual
adapt add adjust admire admit adopt adult advance advice affair afford afraid after again agent agree ahead aim
airport aisle alarm album alert alike alive alley allow almond alone along aloud alpha alpine already alter
always amaze amber amount ample amuse anchor ancient angel angle animal ankle annual answer antenna antique any
apart apple apricot april apron arch arctic area arena argue armchair aroma around arrange arrive arrow artist
ash aside ask asleep aspect asset assist assume aster athlete atlas atom attach attend attic auction august aunt
author autumn avenue average avocado avoid awake award aware away awesome axis baby back bacon badger bag baker
balance balcony ballet balloon bamboo banana bandit banjo bank banner barber bare bargain bark barley barn
barrel base basic basil basin basket batch bath battery bay beach beacon bead beam bean beard beat beauty beaver
become bed beef beetle before begin behave behind bell belong below belt bench bend berry beside best better
between beyond bicycle big bike bill bind birch bird birth biscuit bishop bison bite black blade blanket blaze
blend bless blind blink block blonde bloom blossom blow blue blunt board boast boat body boil bold bolt bonus
book boost boot border borrow boss bottle bottom bounce bowl box boy brain brake branch brand brass brave bread
break breeze brick bridge brief bright bring brisk broad bronze broom brother brown brush bubble bucket buckle
budget buffalo build bulb bulk bull bumper bundle bunker burger burst bush busy butter button buyer buzz cabbage
cabin cable cactus cafe cage cake call calm camel camera camp canal canary candle candy canoe canvas canyon
capable cape capital captain caravan carbon card care cargo carol carpet carrot carry cart carve case cash
castle casual catalog catch cattle cause cave cedar ceiling celery cell cement census center century cereal
certain chain chair chalk champion chance change channel chapter charge charm chart chase cheap check cheese
chef cherry chess chestnut chicken chief child chimney chin chip choice choir choose chorus cider cinema circle
circus citizen city civil claim clam clap clarify clay clean clear clever client cliff climb clinic clip clock
close cloth cloud clover clown club clue coach coast coat cobalt cocoa coconut code coffee coil coin cold collar
collect color column combine comedy comet comfort comic common compass concert cone confirm connect cookie cool
copper copy coral cord core cork corner correct cosmic cost cottage cotton couch country couple courage course
court cousin cover cow coyote crab cradle craft crane crater crayon cream create credit creek crew cricket crisp
crop cross crowd crown cruise crumb crunch crystal cube cucumber cupboard curious current curry curtain curve
cushion custom cycle cymbal dad daily dairy daisy dance danger daring dark dart dash data date daughter dawn day
deal debate decade decent decide deck decor deep deer define degree delay deliver delta demand denim dentist
depart depend depth deputy derive desert design desk detail detect device devote diagram dial diamond diary dice
diesel diet differ digit dime dinner dinosaur direct dish display distance dive divide dock doctor dog dollar
dolphin domain domino donate donkey door double dough dove down dozen draft dragon drama draw dream dress drift
drill drink drive drop drum dry duck duet dune during dusk dust duty dwarf dynamic each eager eagle early earn
earth ease east easy echo eclipse edge edit educate eel effort egg eight either elbow elder electric elegant
element elephant elevator eleven elite elk elm else ember emblem embrace emerge emotion emperor empire employ
empty enable endless energy engage engine enjoy enough enrich enter entire entry envelope equal equip erase
escape essay estate eternal evening event every evolve exact example excess exchange excite exhibit exist exit
exotic expand expect expert explain explore export express extend extra eyebrow fable fabric face factory fade
fairy faith falcon fall family famous fancy fantasy farmer fashion fast father favor feast feather feature
february fence fern ferry fetch fever few fiber fiction field fifteen figure file fill film filter final find
fine finger finish fire firm first fish fit five fix flag flame flamingo flash flat flavor fleet flexible flight
flint flip float flock floor flour flower fluid flute fly foam focus fog foil fold folk follow food foot forest
forever forget fork formal forty forum forward fossil found fountain four fox fragile frame freeze fresh friday
friend fringe frog front frost frozen fruit fuel full funny furnace future gadget gain galaxy gallery gallop
game gap garage garden garlic garment gas gate gather gauge gazelle gear gem general genius gentle genuine
gesture ghost giant gift ginger giraffe girl give glad glance glass glide globe glory glove glow glue goal goat
golden golf good goose gorilla gospel govern gown grab grace grade grain grammar grandma granite grape graph
grass gravity gravy great green greet grid grill grip grocery ground group grove grow guard guess guest guide
guitar gulf gum guru gym habit hair half hall hammer hamster handle happen happy harbor hard harmony harp
harvest hatch hawk hay hazel head healthy heart heather heaven heavy hedge heel height helium hello helmet help
hen herb herd here heritage hermit heron hidden high hike hill hint hippo hire history hobby hockey hold hole
holiday hollow holly home honest honey hood hook hope horizon horn horse hose hospital host hotel hour house
hover how hub huge human humble humor hundred hunger hurdle hurry husband hybrid hydrogen ice icon ideal
identify idle igloo image imagine impact import improve impulse inch include income increase index indigo indoor
infant inform initial ink inland inner input insect inside inspire install intact interest invent invest invite
iris iron island issue item ivory ivy jacket jaguar jam january jar jasmine jaw jazz jealous jeans jelly jersey
jet jewel job jockey join joke jolly journal journey joy judge juice july jumbo jump june jungle junior jupiter
jury justice kangaroo karate kayak keen keep kelp kettle keyboard kick kidney kind kingdom kiosk kitchen kite
kitten kiwi knee knife knight knit knock knot know koala label labor lace ladder lady lagoon lake lamb lamp land
lane language lantern laptop large laser last later laugh laundry laurel lava lavender lawn lawyer layer lazy
leaf league learn lease leather leave lecture left legal legend lemon lend length lens leopard lesson letter
lettuce level lever liberty library license lid life lift light like lilac lily lime limit linen link lion lip
liquid listen liter little live lizard llama loaf lobby lobster local lock lodge logic long look loop lotion
lotus loud lounge love low loyal lucky luggage lullaby lumber lunar lunch lung luxury lynx lyric machine magic
magnet mail main major make mall mammal manage mandate mango manner mansion manual maple marble march margin
marine market maroon marry marsh mask mason master match material matrix matter maximum mayor maze meadow meal
mean measure meat mechanic medal media medium meet mellow melody melon melt member memory mentor menu merchant
mercury merge merit merry mesh message metal meteor method metro middle midnight might mild mile milk million
mimic mind mineral mini mint minute miracle mirror mist mitten mix mobile model modern modest module moment
monday money monitor monkey month mood moon moose more morning mosaic moss most mother motion motor mountain
mouse mouth move movie much muffin mule multiply muscle museum mushroom music mustard mutual myself mystery myth
name napkin narrow nation native nature near neat nebula neck nectar needle neighbor nephew nerve nest network
neutral never news next nice nickel night nimble nine nitrogen noble noise nomad noodle noon normal north nose
note nothing notice novel november now number nurse nutmeg nylon oak oar oasis oat object oblige oboe observe
obtain ocean october octopus odd offer office often oil olive olympic omelet once one onion online only open
opera opinion oppose optic orange orbit orchard orchid order organ orient origin ostrich other otter ounce
outdoor outer outfit oval oven over owl owner oxygen oyster ozone pace pack paddle page paint pair palace palm
panda panel panther papaya paper parade parcel parent park parrot parsley partner party passage pasta paste path
patient patio patrol pattern pause pave paw peace peach peacock peak peanut pearl pebble pecan pedal peel
pelican pencil penguin people pepper perfect perfume perhaps permit person petal phone photo phrase piano pick
picnic picture piece pier pigeon pillow pilot pine pink pioneer pipe pistachio pitch pizza place plain planet
plank plant plaster plastic plate play plaza please pledge plenty plot plow plug plume plus pocket poem poet
point polar pole police polish polite pollen polo pond pony pool popcorn poppy popular porch portion portrait
position possible post potato pottery pouch poultry powder power practice prairie praise prefer prepare present
pretty prevent price pride primary prince print prism private prize problem process produce profit program
project promise proof proper prosper protect proud provide public pudding pull pulp pulse pumpkin pupil puppy
purchase pure purple purpose purse push puzzle pyramid quail quality quantum quarry quarter quartz queen
question quick quiet quilt quince quit quiz quota quote rabbit raccoon race rack radar radio radish raft rail
rainbow raise raisin rally ramp ranch random range rapid rare raspberry rate raven raw razor reach react ready
real reason rebel recall receive recipe record recycle reduce reed reef reflect reform refuse region regret
regular relax relay release relief rely remain remember remind remote remove render renew rent repair repeat
reply report rescue resemble resist resort result retire return reveal review reward rhythm ribbon rice rich
ride ridge right rigid ring ripple rise ritual rival river road roast robin robot robust rocket rodeo role roof
room root rope rose rotate rough round route royal rubber ruby rudder rug rule runner rural rush rust rye saddle
safari safe saffron sage sail salad salmon salon salsa salt salute same sample sandal sapphire satin saturn
sauce sausage save say scale scan scarf scatter scene scent school science scissors scoop scooter score scout
screen script scroll seal search season seat second secret section security seed seek segment select senior
sense sentence series service session settle setup seven shadow shaft shallow shape share shark sharp shed sheep
sheet shelf shell shelter sheriff shield shift shine ship shirt shoe shop shore short shoulder shovel shower
shrimp shrub shut shy sibling side signal silent silk silly silver similar simple since sing siren sister six
size skate sketch skill skin skirt sky slab sleep sleeve slice slide slight slim slipper slogan slope slow small
smart smile smoke smooth snack snail snap snow soap soccer social sock soda sofa soft soil solar solid solution
solve song soon sorry sort soul sound soup source south space spare spark sparrow speak special speed spell
spend sphere spice spider spike spinach spiral spirit split spoil sponge spoon sport spot spray spread spring
sprout square squash squirrel stable stadium staff stage stair stamp stand start state station statue stay steak
steam steel stem step stereo stick still sting stitch stock stomach stone stool stop store stork storm story
stove straw stream street strike string strong student studio study stuff style subject submit subway success
sudden sugar suggest suit summer summit sunday sunny sunset super supper supply support sure surface surprise
survey swallow swamp swan swap sweater sweet swift swim swing switch symbol syrup system tablet tackle tag
tailor take talent talk tall tango tank tape target task taste taxi teach team teapot tell temple tempo tenant
tennis tent term test text thank theater theme theory thing think third thirty thorn thought thread three thrive
throne through throw thumb thunder thursday thyme ticket tide tidy tie tiger tile timber time tiny tip tissue
title toast today toe together token tomato tomorrow tone tongue tonight tool tooth topaz topic torch tornado
tortoise total toucan touch tough tour toward towel tower town toy track trade traffic trail train transfer
transit trap travel tray treat tree trend trial tribe trick trigger trim trip trophy tropic trouble trousers
truck true truffle trumpet trunk trust truth try tube tuesday tulip tuna tundra tunnel turbine turkey turnip
turquoise turtle tutor twelve twenty twice twig twin twist two type typical umbrella unable uncle under unfold
unicorn uniform union unique unit universe unlock until unusual update upgrade uphold upon upper upset urban
urge usage useful usual utility vacant vacuum vague valid valley valve vanilla vapor various vase vast vault
vector velvet vendor venture venue verb verify version very vessel veteran viable vibrant video view village
vinegar vintage vinyl violet violin virtual visa visit visual vital vivid vocal voice volcano volume vote voyage
waffle wagon waist wait walk wallet walnut walrus wander want warm wash watch water wave wax way wealth weather
weave web wedding wednesday weekend welcome west whale wheat wheel when where whisper whistle white whole wide
width wife wild willow window wine wing winner winter wire wisdom wise wish wolf woman wonder wood wool word
work world worry worth wrap wren wrist write yacht yard yarn year yeast yellow yesterday yoga yogurt young zebra
zero zigzag zinc zone zoom
`
  .trim()
  .split(/\s+/);
